import { expect, test } from "vitest";
import * as strings from "@/strings";
import { editSchema, keySchema, modelsOf, rotationSchema } from "./key-schema";

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

const edited = { name: "laptop", usage_plan_id: plan, note: "", expires_at: "", allowed_models: "" };

test.each([
  [{ note: "x".repeat(501) }, strings.keys.noteLong],
  [{ expires_at: "2020-01-01T00:00" }, strings.keys.expiryPast],
  [{ expires_at: "soon" }, strings.keys.expiryPast],
  [{ allowed_models: Array.from({ length: 51 }, (_, i) => `m${i}`).join() }, strings.keys.modelsMany(50)],
])("refuses to change a key to %j", (values, message) => {
  const issues = editSchema("").safeParse({ ...edited, ...values }).error?.issues;
  expect(issues?.map((issue) => issue.message)).toEqual([message]);
});

test("an expired key can be renamed, and keeps its expiry", () => {
  const expires_at = "2020-01-01T00:00";
  expect(editSchema(expires_at).safeParse({ ...edited, expires_at }).success).toBe(true);
  expect(editSchema(expires_at).safeParse({ ...edited, expires_at: "2021-01-01T00:00" }).success).toBe(false);
});

test("models are separated by commas or spaces, each once", () => {
  expect(modelsOf(" gpt-4o, gpt-4o*  a/b,gpt-4o")).toEqual(["gpt-4o", "gpt-4o*", "a/b"]);
});

test("the grace period is parsed from text and is at most a week", () => {
  expect(rotationSchema.parse({ grace_seconds: "3600" })).toEqual({ grace_seconds: 3600 });
  expect(rotationSchema.safeParse({ grace_seconds: "604801" }).success).toBe(false);
  expect(rotationSchema.safeParse({ grace_seconds: "-1" }).success).toBe(false);
});
