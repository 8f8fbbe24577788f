import type { Limit, UsagePlan } from "@/api/types";
import * as strings from "@/strings";

export function describeLimit({ measure, amount, window, burst }: Limit): string {
  const rate = `${strings.measures[measure](amount)} ${strings.windows[window]}`;
  return burst ? strings.plans.withBurst(rate, burst) : rate;
}

/** The plan's limits in words, but for one that its name says already. */
export function limitsBesidesName({ name, limits }: UsagePlan): string[] {
  return limits.map(describeLimit).filter((words) => words !== name);
}
