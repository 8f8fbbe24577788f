import { expect, test } from "vitest";
import * as strings from "@/strings";
import { keySchema, rotationSchema } from "./key-schema";

const plan = "10RequestPerDay";

test("a key has a trimmed name and a plan", () => {
  expect(keySchema.parse({ name: " laptop ", usage_plan_id: plan })).toEqual({
    name: "laptop",
    usage_plan_id: plan,
  });
});

test.each([
  [{ name: "  ", usage_plan_id: plan }, strings.keys.nameMissing],
  [{ name: "x".repeat(81), usage_plan_id: plan }, strings.keys.nameLong],
  [{ name: "laptop", usage_plan_id: "" }, strings.keys.planMissing],
  [{ name: "laptop", usage_plan_id: null }, strings.keys.planMissing],
])("refuses %j", (values, message) => {
  expect(keySchema.safeParse(values).error?.issues.map((issue) => issue.message)).toEqual([message]);
});

test("the grace period comes from a select, as text, and is at most a week", () => {
  expect(rotationSchema.parse({ grace_seconds: "3600" })).toEqual({ grace_seconds: 3600 });
  expect(rotationSchema.safeParse({ grace_seconds: "604801" }).success).toBe(false);
  expect(rotationSchema.safeParse({ grace_seconds: "-1" }).success).toBe(false);
});
