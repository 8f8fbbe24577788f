import { expect, test } from "vitest";
import type { ManagedPlan } from "@/api/types";
import * as strings from "@/strings";
import { newRow, planOf, planSchema, valuesOf, type LimitValues } from "./plan-values";

const plan: ManagedPlan = {
  id: "lab",
  name: "Lab",
  description: "",
  limits: [
    { measure: "requests", amount: 6, window: "minute", burst: 2 },
    { measure: "tokens", amount: 10_000, window: "day" },
    { measure: "cost", amount: 1_250_000, window: "total" },
  ],
  max_output_tokens: 500,
  max_concurrent_requests: null,
  max_key_days: 30,
  models: ["a", "b"],
  self_service: false,
  not_enforced: [],
  source: "site",
  keys: 1,
  retired_at: null,
};

test("a plan survives a round trip through its form", () => {
  expect(planOf(planSchema.parse(valuesOf(plan)))).toEqual({
    id: "lab",
    name: "Lab",
    description: "",
    requests_per_minute: 6,
    tokens_per_day: 10_000,
    cost_per_total: 1_250_000,
    burst: 2,
    max_output_tokens: 500,
    max_concurrent_requests: null,
    max_key_days: 30,
    unlimited: false,
    models: ["a", "b"],
    self_service: false,
  });
});

const row = (amount: string, measure: LimitValues["measure"], window: LimitValues["window"] = "day") => ({
  amount,
  measure,
  window,
});

test.each([
  ["0", 0],
  ["0.1", 100_000],
  ["0.000001", 1],
  ["1.005", 1_005_000],
  ["8.2", 8_200_000],
  ["999999.999999", 999_999_999_999],
])("%s dollars are %d micro-dollars, and back", (dollars, micro) => {
  const values = { ...valuesOf(), id: "lab", name: "Lab", limits: [row(dollars, "cost")] };
  expect(planOf(planSchema.parse(values))).toMatchObject({ cost_per_day: micro });
  const shown = { ...plan, limits: [{ measure: "cost" as const, window: "day" as const, amount: micro }] };
  expect(valuesOf(shown).limits).toEqual([row(dollars, "cost")]);
});

const five = row("5", "requests");

test.each([
  [{ id: "no way" }, "id"],
  [{ name: " " }, "name"],
  [{ limits: [row("1.5", "requests")] }, "limits.0.amount"],
  [{ limits: [row("-1", "tokens")] }, "limits.0.amount"],
  [{ limits: [row("0.0000001", "cost")] }, "limits.0.amount"],
  [{ limits: [row(".5", "cost")] }, "limits.0.amount"],
  [{ limits: [row("1,000", "tokens")] }, "limits.0.amount"],
  [{ limits: [five, five] }, "limits.1.amount"],
  [{ limits: [five, row("", "tokens")] }, "limits.1.amount"],
  [{ limits: [row("", "requests")] }, "unlimited"],
  [{ limits: [] }, "unlimited"],
  [{ unlimited: true }, "unlimited"],
  [{ burst: "3" }, "burst"],
  [{ burst: "3", limits: [row("5", "tokens", "minute")] }, "burst"],
  [{ max_output_tokens: "0" }, "max_output_tokens"],
  [{ max_concurrent_requests: "10001" }, "max_concurrent_requests"],
  [{ max_key_days: "x" }, "max_key_days"],
])("%o is shown beside %s", (wrong, field) => {
  const values = { ...valuesOf(), id: "lab", name: "Lab", limits: [five], ...wrong };
  const found = planSchema.safeParse(values).error?.issues.map(({ path }) => path.join("."));
  expect(found).toEqual([field]);
});

test("the error for an amount depends on its measure", () => {
  const told = (wrong: LimitValues) =>
    planSchema.safeParse({ ...valuesOf(plan), burst: "", limits: [wrong] }).error?.issues[0]?.message;
  expect(told(row("x", "tokens"))).toBe(strings.operator.plans.amountWrong);
  expect(told(row("x", "cost"))).toBe(strings.operator.plans.dollarsWrong);
});

test("a single empty row is not a limit", () => {
  const values = { ...valuesOf(), id: "lab", name: "Lab", unlimited: true };
  const sent = planOf(planSchema.parse(values));
  expect(sent.unlimited).toBe(true);
  expect(Object.keys(sent).filter((name) => name.includes("_per_"))).toEqual([]);
});

test("a new row has an unused measure or window", () => {
  expect(newRow([])).toEqual(row("", "requests"));
  expect(newRow([five])).toEqual(row("", "tokens"));
  const each = [five, row("1", "tokens"), row("1", "cost")];
  expect(newRow(each)).toEqual(row("", "requests", "minute"));
});
