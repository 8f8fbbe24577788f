import type { Limit } from "@/api/types";
import { strings } from "@/strings";

export function describeLimit({ measure, amount, window }: Limit): string {
  const what =
    measure === "requests"
      ? strings.requests(amount)
      : `${amount.toLocaleString("en")} ${strings.measures[measure] ?? measure}`;
  return `${what} ${strings.windows[window]}`;
}

export function describeLimits(limits: Limit[]): string {
  return limits.map(describeLimit).join(", ");
}
