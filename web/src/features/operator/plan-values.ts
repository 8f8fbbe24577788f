import type { Limit, ManagedPlan, NewPlan } from "@/api/types";
import { measures } from "@/api/limits";
import * as z from "@/forms/zod";
import * as strings from "@/strings";

const words = strings.operator.plans;

export const windows: Limit["window"][] = ["minute", "hour", "day", "week", "month", "total"];

const most = 999_999_999_999;
const mostAtOnce = 10_000;
const mostKeyDays = 3_650;
const microPerDollar = 1_000_000;

const limitSchema = z
  .object({
    amount: z.string().check(z.trim()),
    measure: z.enum(measures),
    window: z.enum(windows),
  })
  .check(
    z.refine(({ measure, amount }) => isAmount(measure, amount), {
      path: ["amount"],
      error: ({ input }) =>
        (input as LimitValues).measure === "cost" ? words.dollarsWrong : words.amountWrong,
    }),
  );

/** A row of the form. A cost is in dollars. */
export type LimitValues = { amount: string; measure: Limit["measure"]; window: Limit["window"] };

const upTo = (largest: number) =>
  z.string().check(
    z.trim(),
    z.refine((text) => text === "" || (/^\d{1,12}$/.test(text) && isBetween(Number(text), 1, largest)), {
      error: words.numberWrong(largest),
    }),
  );

const isBetween = (value: number, least: number, largest: number) => value >= least && value <= largest;

export const planSchema = z
  .object({
    id: z.string().check(z.trim(), z.regex(/^[A-Za-z0-9_.-]{1,64}$/, words.idWrong)),
    name: z
      .string()
      .check(z.trim(), z.minLength(1, words.nameMissing), z.maxLength(80, words.nameLong)),
    description: z.string().check(z.trim(), z.maxLength(500, words.descriptionLong)),
    limits: z.array(limitSchema).check(({ value: rows, issues }) => {
      for (const [index, row] of rows.entries()) {
        const message = problemOf(row, index, rows);
        if (message) issues.push({ code: "custom", input: row, path: [index, "amount"], message });
      }
    }),
    burst: upTo(most),
    max_output_tokens: upTo(most),
    max_concurrent_requests: upTo(mostAtOnce),
    max_key_days: upTo(mostKeyDays),
    unlimited: z.boolean(),
    models: z.string(),
    self_service: z.boolean(),
  })
  .check(
    z.refine(({ burst, limits }) => burst === "" || limits.some(refillsBurst), {
      path: ["burst"],
      error: words.burstAlone,
    }),
    z.refine(({ unlimited, limits }) => unlimited !== limits.some(({ amount }) => amount !== ""), {
      path: ["unlimited"],
      error: ({ input }) =>
        (input as PlanValues).unlimited ? words.unlimitedWithLimits : words.noLimit,
    }),
  );

export type PlanValues = z.infer<typeof planSchema>;

/** The other numbers, in form order. */
export const numberFields = [
  { name: "burst", label: words.burst, hint: words.burstHint },
  { name: "max_output_tokens", label: words.maxOutput },
  { name: "max_concurrent_requests", label: words.maxConcurrent },
  { name: "max_key_days", label: words.maxKeyDays },
] as const;

/** Return the form's initial values for this plan or a new one. */
export function valuesOf(plan?: ManagedPlan): PlanValues {
  return {
    id: plan?.id ?? "",
    name: plan?.name ?? "",
    description: plan?.description ?? "",
    limits: plan ? plan.limits.map(rowOf) : [newRow([])],
    burst: String(plan?.limits.find(({ burst }) => burst)?.burst ?? ""),
    max_output_tokens: String(plan?.max_output_tokens ?? ""),
    max_concurrent_requests: String(plan?.max_concurrent_requests ?? ""),
    max_key_days: String(plan?.max_key_days ?? ""),
    unlimited: plan?.limits.length === 0,
    models: plan?.models.join(", ") ?? "",
    self_service: plan?.self_service || plan?.retired_at != null || plan === undefined,
  };
}

/** Return a new row: for a measure without a limit if there is one, else for a free window. */
export function newRow(rows: LimitValues[]): LimitValues {
  const measure = measures.find((one) => rows.every((row) => row.measure !== one)) ?? "requests";
  const taken = rows.filter((row) => row.measure === measure).map(({ window }) => window);
  const free = ["day" as const, ...windows].find((window) => !taken.includes(window));
  return { amount: "", measure, window: free ?? "day" };
}

/** Convert form values for the portal, where a limit that is not named does not exist. */
export function planOf(values: PlanValues): NewPlan {
  const amounts = values.limits
    .filter(({ amount }) => amount !== "")
    .map(({ measure, window, amount }) => [`${measure}_per_${window}`, amountOf(measure, amount)]);
  return {
    id: values.id,
    name: values.name,
    description: values.description,
    ...Object.fromEntries(amounts),
    burst: numberOf(values.burst),
    max_output_tokens: numberOf(values.max_output_tokens),
    max_concurrent_requests: numberOf(values.max_concurrent_requests),
    max_key_days: numberOf(values.max_key_days),
    unlimited: values.unlimited,
    models: values.models.split(/[\s,]+/).filter(Boolean),
    self_service: values.self_service,
  };
}

function problemOf(row: LimitValues, index: number, rows: LimitValues[]): string | undefined {
  if (row.amount === "") return rows.length > 1 ? words.amountMissing : undefined;
  const isSame = (other: LimitValues) =>
    other.measure === row.measure && other.window === row.window;
  return rows.findIndex(isSame) < index ? words.limitTwice : undefined;
}

/** Return whether a text is an amount of a measure, or empty. */
export function isAmount(measure: Limit["measure"], amount: string): boolean {
  return (measure === "cost" ? /^(\d{1,6}(\.\d{1,6})?)?$/ : /^\d{0,12}$/).test(amount);
}

function refillsBurst({ measure, window, amount }: LimitValues): boolean {
  return measure === "requests" && window === "minute" && Number(amount) > 0;
}

function numberOf(text: string): number | null {
  return text === "" ? null : Number(text);
}

/** Convert dollars to micro-dollars digit by digit: binary fractions would be rounded. */
export function amountOf(measure: Limit["measure"], amount: string): number {
  if (measure !== "cost") return Number(amount);
  const [whole, decimals = ""] = amount.split(".");
  return Number(whole) * microPerDollar + Number(decimals.padEnd(6, "0"));
}

function rowOf({ measure, window, amount }: Limit): LimitValues {
  return { measure, window, amount: amountText(measure, amount) };
}

/** Return an amount as a form shows it: a cost is in dollars. */
export function amountText(measure: Limit["measure"], amount: number): string {
  if (measure !== "cost") return String(amount);
  const decimals = String(amount % microPerDollar).padStart(6, "0").replace(/0+$/, "");
  const whole = String(Math.floor(amount / microPerDollar));
  return decimals ? `${whole}.${decimals}` : whole;
}
