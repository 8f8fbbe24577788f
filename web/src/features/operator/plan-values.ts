import type { ManagedPlan, NewPlan } from "@/api/types";
import * as z from "@/forms/zod";
import * as strings from "@/strings";

const words = strings.operator.plans;

const amount = z.string().check(z.trim(), z.regex(/^\d{0,12}$/, words.amountWrong));

const limitNames = [
  "requests_per_minute",
  "requests_per_hour",
  "requests_per_day",
  "requests_per_week",
  "requests_per_month",
] as const;

const hasLimit = (values: Record<(typeof limitNames)[number], string>) =>
  limitNames.some((name) => values[name] !== "");

export const planSchema = z
  .object({
    id: z.string().check(z.trim(), z.regex(/^[A-Za-z0-9_.-]{1,64}$/, words.idWrong)),
    name: z
      .string()
      .check(z.trim(), z.minLength(1, words.nameMissing), z.maxLength(80, words.nameLong)),
    description: z.string().check(z.trim(), z.maxLength(500, words.descriptionLong)),
    requests_per_minute: amount,
    burst: amount,
    requests_per_hour: amount,
    requests_per_day: amount,
    requests_per_week: amount,
    requests_per_month: amount,
    unlimited: z.boolean(),
    models: z.string(),
    self_service: z.boolean(),
  })
  .check(
    z.refine(({ burst, requests_per_minute: rate }) => burst === "" || Number(rate) > 0, {
      path: ["burst"],
      error: words.burstAlone,
    }),
    z.refine((values) => values.unlimited !== hasLimit(values), {
      path: ["unlimited"],
      error: ({ input }) =>
        (input as PlanValues).unlimited ? words.unlimitedWithLimits : words.noLimit,
    }),
  );

export type PlanValues = z.infer<typeof planSchema>;

/** The fields with their labels, in form order. */
export const amountFields = [
  { name: "requests_per_day", label: words.perDay },
  { name: "requests_per_minute", label: words.perMinute },
  { name: "burst", label: words.burst },
  { name: "requests_per_hour", label: words.perHour },
  { name: "requests_per_week", label: words.perWeek },
  { name: "requests_per_month", label: words.perMonth },
] as const;

/** Return the form's initial values for this plan or a new one. */
export function valuesOf(plan?: ManagedPlan): PlanValues {
  const amountOf = (window: string) =>
    String(plan?.limits.find((limit) => limit.window === window)?.amount ?? "");
  return {
    id: plan?.id ?? "",
    name: plan?.name ?? "",
    description: plan?.description ?? "",
    requests_per_minute: amountOf("minute"),
    burst: String(plan?.limits.find(({ burst }) => burst)?.burst ?? ""),
    requests_per_hour: amountOf("hour"),
    requests_per_day: amountOf("day"),
    requests_per_week: amountOf("week"),
    requests_per_month: amountOf("month"),
    unlimited: plan?.limits.length === 0,
    models: plan?.models.join(", ") ?? "",
    self_service: plan?.self_service || plan?.retired_at != null || plan === undefined,
  };
}

/** Convert form values for the portal. An empty field means no limit. */
export function planOf(values: PlanValues): NewPlan {
  const amounts = Object.fromEntries(
    amountFields.map(({ name }) => [name, values[name] === "" ? null : Number(values[name])]),
  );
  return {
    id: values.id,
    name: values.name,
    description: values.description,
    ...amounts,
    unlimited: values.unlimited,
    models: values.models.split(/[\s,]+/).filter(Boolean),
    self_service: values.self_service,
  };
}
