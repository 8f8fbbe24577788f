import { expect, test } from "vitest";
import type { Quota } from "@/api/refusal";
import type { Limit, UsagePlan, UsageToday } from "@/api/types";
import { leftOf, refusedFor, spentBy } from "./standing-quota";

const midnight = "2026-11-26T00:00:00Z";
const noon = Date.parse("2026-11-25T12:00:00Z");

function planOf(...windows: Limit["window"][]): UsagePlan {
  const limits = windows.map((window) => ({ measure: "requests" as const, amount: 10, window, burst: null }));
  return { id: "plan", name: "Plan", description: "", models: [], limits, self_service: true };
}

function todayOf(used: number, resets_at = midnight): UsageToday {
  const allowance = { used, limit: 10, window: "day" as const, remaining: 10 - used, resets_at };
  const key = { ...allowance, api_key_id: "key_1", name: "laptop", by_api: used, by_chat: 0 };
  return { account: { used, limit: null, window: null, remaining: null, resets_at: null }, keys: [key] };
}

function refusal(changes: Partial<Quota> = {}) {
  const failure: Quota = {
    kind: "quota",
    message: "",
    limit: 10,
    used: 10,
    window: "day",
    subject: "key",
    usagePlanId: "plan",
    resetsAt: midnight,
    ...changes,
  };
  return { failure, keyId: "key_1" };
}

const concerned = { keyId: "key_1", plan: planOf("minute", "day") };
const byApiGateway = refusal({ window: null });

test("a refusal stands until the server has opened the next window", () => {
  const later = Date.parse(midnight) + 1000;
  expect(refusedFor(concerned, refusal(), todayOf(10), noon)).toMatchObject({ window: "day" });
  expect(refusedFor(concerned, refusal(), todayOf(10), later)).toBeDefined();
  const opened = todayOf(0, "2026-11-27T00:00:00Z");
  expect(refusedFor(concerned, refusal(), opened, later)).toBeUndefined();
  expect(refusedFor({ ...concerned, keyId: "key_2" }, refusal(), todayOf(10), noon)).toBeUndefined();
});

test("API Gateway's refusal ends at midnight where the plan has a daily quota alone", () => {
  expect(refusedFor(concerned, byApiGateway, todayOf(10), noon)).toMatchObject({
    window: "day",
    resetsAt: midnight,
  });
});

test.each([[planOf("week")], [planOf("minute", "month")], [planOf("day", "month")], [planOf()], [undefined]])(
  "nobody promises midnight for API Gateway otherwise (%#)",
  (plan) => {
    const quota = refusedFor({ keyId: "key_1", plan }, byApiGateway, todayOf(10), noon);
    expect(quota).toMatchObject({ resetsAt: null });
  },
);

test("what is spent already is told with the window that is spent", () => {
  expect(spentBy(concerned, todayOf(9), false)).toBeUndefined();
  expect(spentBy(concerned, todayOf(10), true)).toMatchObject({ window: "day", resetsAt: midnight });
  const weekly = { keyId: "key_1", plan: planOf("hour", "week") };
  expect(spentBy(weekly, todayOf(10), false)).toMatchObject({ window: "week", resetsAt: midnight });
  expect(spentBy(weekly, todayOf(10), true)).toMatchObject({ window: "week", resetsAt: null });
});

test("of an allowance that was refused nothing is left", () => {
  const allowance = todayOf(2).keys[0]!;
  expect(leftOf(allowance, undefined)).toBe(8);
  expect(leftOf(allowance, refusal().failure)).toBe(0);
  expect(leftOf(allowance, refusal({ window: "hour" }).failure)).toBe(8);
  expect(leftOf(allowance, refusal({ subject: "account" }).failure)).toBe(8);
});
