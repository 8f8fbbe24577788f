import { expect, test } from "vitest";
import type { ManagedPlan } from "@/api/types";
import * as strings from "@/strings";
import { planOf, planSchema, valuesOf } from "./plan-values";

const plan: ManagedPlan = {
  id: "lab",
  name: "Lab",
  description: "",
  limits: [
    { measure: "requests", amount: 6, window: "minute", burst: 2 },
    { measure: "requests", amount: 50, window: "day" },
  ],
  models: ["a", "b"],
  self_service: false,
  source: "site",
  keys: 1,
  retired_at: null,
};

test("a plan comes out of its form as it went in", () => {
  expect(planOf(planSchema.parse(valuesOf(plan)))).toEqual({
    id: "lab",
    name: "Lab",
    description: "",
    requests_per_minute: 6,
    burst: 2,
    requests_per_hour: null,
    requests_per_day: 50,
    requests_per_week: null,
    requests_per_month: null,
    unlimited: false,
    models: ["a", "b"],
    self_service: false,
  });
});

test.each([
  [{ id: "no way" }, "id"],
  [{ name: " " }, "name"],
  [{ requests_per_day: "1.5" }, "requests_per_day"],
  [{ requests_per_day: "-1" }, "requests_per_day"],
  [{ requests_per_day: "" }, "unlimited"],
  [{ unlimited: true }, "unlimited"],
  [{ burst: "3" }, "burst"],
])("%o is told beside %s", (wrong, field) => {
  const values = { ...valuesOf(), id: "lab", name: "Lab", requests_per_day: "5", ...wrong };
  const found = planSchema.safeParse(values).error?.issues.map(({ path }) => path.join("."));
  expect(found).toEqual([field]);
});

test("a burst without a rate is explained", () => {
  const issue = planSchema.safeParse({ ...valuesOf(plan), requests_per_minute: "" }).error?.issues[0];
  expect(issue?.message).toBe(strings.operator.plans.burstAlone);
});
