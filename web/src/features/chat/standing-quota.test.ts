import { expect, test } from "vitest";
import type { Quota } from "@/api/refusal";
import type { Limit, LimitUse, UsagePlan, UsageToday } from "@/api/types";
import { leastLeft, refusedFor, spentBy } from "./standing-quota";

const midnight = "2026-11-26T00:00:00Z";
const noon = Date.parse("2026-11-25T12:00:00Z");

function planOf(...windows: Limit["window"][]): UsagePlan {
  const limits = windows.map((window) => ({ measure: "requests" as const, amount: 10, window, burst: null }));
  return { id: "plan", name: "Plan", description: "", models: [], limits, self_service: true, not_enforced: [] };
}

function limitOf(used: number, resets_at = midnight, changes: Partial<LimitUse> = {}): LimitUse {
  const remaining = 10 - used;
  return { subject: "key", measure: "requests", window: "day", limit: 10, used, remaining, resets_at, ...changes };
}

function todayOf(...limits: LimitUse[]): UsageToday {
  const none = { used: 0, limit: null, window: null, remaining: null, resets_at: null, limits: [], tokens: 0, cost: 0 };
  const key = { ...none, limits, api_key_id: "key_1", name: "laptop", by_api: 0, by_chat: 0 };
  return { account: none, keys: [key] };
}

function refusal(changes: Partial<Quota> = {}) {
  const failure: Quota = {
    kind: "quota",
    message: "",
    measure: "requests",
    requested: null,
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

test("a refusal stays until the server reports the next window", () => {
  const later = Date.parse(midnight) + 1000;
  expect(refusedFor(concerned, refusal(), todayOf(limitOf(10)), noon)).toMatchObject({ window: "day" });
  expect(refusedFor(concerned, refusal(), todayOf(limitOf(10)), later)).toBeDefined();
  const opened = todayOf(limitOf(0, "2026-11-27T00:00:00Z"));
  expect(refusedFor(concerned, refusal(), opened, later)).toBeUndefined();
  expect(refusedFor({ ...concerned, keyId: "key_2" }, refusal(), todayOf(limitOf(10)), noon)).toBeUndefined();
});

test("API Gateway's refusal ends at midnight if the plan has only a daily quota", () => {
  expect(refusedFor(concerned, byApiGateway, todayOf(limitOf(10)), noon)).toMatchObject({
    window: "day",
    resetsAt: midnight,
  });
});

test.each([[planOf("week")], [planOf("minute", "month")], [planOf("day", "month")], [planOf()], [undefined]])(
  "nobody promises midnight for API Gateway otherwise (%#)",
  (plan) => {
    const quota = refusedFor({ keyId: "key_1", plan }, byApiGateway, todayOf(limitOf(10)), noon);
    expect(quota).toMatchObject({ resetsAt: null });
  },
);

test("a refusal ends with its window, or when the key no longer has such a limit", () => {
  const one = Date.parse("2026-11-25T13:00:00Z");
  const hourly = refusal({ window: "hour", resetsAt: "2026-11-25T13:00:00Z" });
  const hour = { window: "hour" as const };
  const over = todayOf(limitOf(0, "2026-11-25T14:00:00Z", hour), limitOf(3));
  expect(refusedFor(concerned, hourly, over, one)).toBeUndefined();
  // Midnight is later, and says nothing about the hour's reset.
  const stale = todayOf(limitOf(10, "2026-11-25T13:00:00Z", hour), limitOf(3));
  expect(refusedFor(concerned, hourly, stale, one)).toBeDefined();
  expect(refusedFor(concerned, hourly, todayOf(limitOf(3)), one)).toBeUndefined();
  expect(refusedFor(concerned, hourly, undefined, one)).toBeDefined();
});

test("an exhausted quota has its own reset", () => {
  const hour = limitOf(10, "2026-11-25T13:00:00Z", { window: "hour" });
  expect(spentBy(concerned, todayOf(limitOf(9)), false)).toBeUndefined();
  expect(spentBy(concerned, todayOf(limitOf(10)), true)).toMatchObject({ window: "day", resetsAt: midnight });
  expect(spentBy(concerned, todayOf(hour, limitOf(2)), false)).toMatchObject({
    window: "hour",
    resetsAt: "2026-11-25T13:00:00Z",
  });
  const week = limitOf(10, midnight, { window: "week" });
  expect(spentBy(concerned, todayOf(week), false)).toMatchObject({ window: "week", resetsAt: midnight });
  expect(spentBy(concerned, todayOf(week), true)).toMatchObject({ window: "week", resetsAt: null });
  const account = limitOf(10, midnight, { subject: "account" });
  expect(spentBy(concerned, todayOf(limitOf(2), account), false)).toMatchObject({ subject: "account" });
  expect(spentBy(concerned, todayOf(limitOf(10, midnight, { window: "minute" })), false)).toBeUndefined();
});

test("a refusal's remaining amount replaces the quota's", () => {
  const limits = [limitOf(2)];
  expect(leastLeft(limits, undefined)).toMatchObject([{ remaining: 8 }]);
  expect(leastLeft(limits, refusal().failure)).toMatchObject([{ remaining: 0 }]);
  expect(leastLeft(limits, refusal({ used: 9 }).failure)).toMatchObject([{ remaining: 1 }]);
  expect(leastLeft(limits, refusal({ window: "hour" }).failure)).toMatchObject([{ remaining: 8 }]);
  expect(leastLeft(limits, refusal({ subject: "account" }).failure)).toMatchObject([{ remaining: 8 }]);
  expect(leastLeft(limits, refusal({ measure: "tokens" }).failure)).toMatchObject([{ remaining: 8 }]);
});

test("an exhausted token total stays exhausted", () => {
  const total = limitOf(10, midnight, { measure: "tokens", window: "total", resets_at: null });
  expect(spentBy(concerned, todayOf(limitOf(2), total), false)).toMatchObject({
    measure: "tokens",
    window: "total",
    resetsAt: null,
  });
});
