import type { Limit } from "@/api/types";
import { strings } from "@/strings";

export function describeLimit({ measure, amount, window }: Limit): string {
  return `${strings.measures[measure](amount)} ${strings.windows[window]}`;
}

export function describeLimits(limits: Limit[]): string {
  return limits.map(describeLimit).join(", ");
}
