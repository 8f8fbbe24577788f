import type { Limit, UsagePlan } from "@/api/types";
import * as strings from "@/strings";

export function describeLimit({ measure, amount, window, burst }: Limit): string {
  const rate = `${strings.measures[measure](amount)} ${strings.windows[window]}`;
  return burst ? strings.plans.withBurst(rate, burst) : rate;
}

/** Describe the plan's limits, except the one that its name already states. */
export function limitsBesidesName({ name, limits }: UsagePlan): string[] {
  return limits.map(describeLimit).filter((words) => words !== name);
}
