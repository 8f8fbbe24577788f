import type { Limit, UsagePlan } from "@/api/types";
import * as strings from "@/strings";

export function describeLimit({ measure, amount, window }: Limit): string {
  return `${strings.measures[measure](amount)} ${strings.windows[window]}`;
}

/** The plan's limits in words, but for one that its name says already. */
export function limitsBesidesName({ name, limits }: UsagePlan): string[] {
  return limits.map(describeLimit).filter((words) => words !== name);
}
