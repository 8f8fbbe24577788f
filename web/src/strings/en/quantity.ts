import { count } from "./count";

export type Measure = "requests" | "tokens" | "cost";

/** Format micro-dollars as dollars, without trailing zeros after the cents. */
export const dollars = (micro: number) =>
  (micro / 1_000_000).toLocaleString("en", {
    style: "currency",
    currency: "USD",
    maximumFractionDigits: 6,
  });

/** Format an amount without its unit, for a column or axis that names it: "10,000", "$0.25". */
export const figure = (measure: Measure, amount: number) =>
  measure === "cost" ? dollars(amount) : amount.toLocaleString("en");

/** Format an amount with its unit: "1 request", "250 tokens", "$0.25". */
export function quantity(measure: Measure, amount: number): string {
  if (measure === "cost") return dollars(amount);
  return measure === "tokens" ? count(amount, "token", "tokens") : count(amount, "request", "requests");
}
