import type { Limit, UsagePlan } from "@/api/types";
import * as strings from "@/strings";

const words = strings.plans;

export function describeLimit({ measure, amount, window, burst }: Limit): string {
  const rate = `${strings.quantity(measure, amount)} ${strings.windows[window]}`;
  return burst ? words.withBurst(rate, burst) : rate;
}

type Limits = Pick<
  UsagePlan,
  "limits" | "max_output_tokens" | "max_concurrent_requests" | "max_key_days"
>;

/** Describe everything that a plan limits. */
export function describeLimits(plan: Limits): string[] {
  return [
    ...plan.limits.map(describeLimit),
    ...(plan.max_output_tokens ? [words.maxOutput(plan.max_output_tokens)] : []),
    ...(plan.max_concurrent_requests ? [words.maxConcurrent(plan.max_concurrent_requests)] : []),
    ...(plan.max_key_days ? [words.maxKeyDays(plan.max_key_days)] : []),
  ];
}

/** Describe the plan's limits, except the one that its name already states. */
export function limitsBesidesName(plan: UsagePlan): string[] {
  return describeLimits(plan).filter((words) => words !== plan.name);
}
