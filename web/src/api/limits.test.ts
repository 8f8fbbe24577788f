import { expect, test } from "vitest";
import { ownQuotas, quotasToShow, resetOf, spent, tightestOfEach } from "./limits";
import type { LimitUse } from "./types";

const minute = limitOf("key", "minute", 0, "2026-11-25T12:01:00Z");
const hour = limitOf("key", "hour", 0, "2026-11-25T13:00:00Z");
const day = limitOf("key", "day", 8, "2026-11-26T00:00:00Z");
const account = limitOf("account", "day", 30, "2026-11-26T00:00:00Z");

function limitOf(
  subject: LimitUse["subject"],
  window: LimitUse["window"],
  remaining: number,
  resets_at: string,
): LimitUse {
  return { subject, measure: "requests", window, limit: 30, used: 30 - remaining, remaining, resets_at };
}

const tokens: LimitUse = { ...limitOf("key", "total", 5, ""), measure: "tokens", resets_at: null };

test("the tightest quota is not a throttle, and among equals the one that resets last", () => {
  expect(tightestOfEach([minute, hour, day, account])).toEqual([hour]);
  expect(tightestOfEach([minute, { ...day, remaining: 0 }, hour])).toMatchObject([{ window: "day" }]);
  expect(tightestOfEach([minute])).toEqual([]);
});

test("amounts of different measures are not compared", () => {
  const cost: LimitUse = { ...account, measure: "cost", remaining: 250_000 };
  expect(tightestOfEach([cost, tokens, day])).toEqual([day, tokens, cost]);
  expect(quotasToShow([cost, tokens, day])).toEqual([day, tokens, cost]);
});

test("among exhausted quotas, one that never resets comes first", () => {
  expect(spent([day, tokens])).toBeUndefined();
  expect(spent([minute, day])).toBeUndefined();
  const none = { ...tokens, remaining: 0 };
  expect(spent([hour, none, { ...day, remaining: 0 }])).toBe(none);
});

test("each quota of a key is shown, and the account's if it leaves less", () => {
  expect(quotasToShow([minute, hour, day, account])).toEqual([hour, day]);
  const fuller = { ...account, remaining: 7 };
  expect(quotasToShow([day, fuller])).toEqual([day, fuller]);
  expect(quotasToShow([day, { ...account, remaining: 8 }])).toEqual([day]);
  // The hour is used up, but it resets long before the day, of which the account leaves less.
  expect(quotasToShow([hour, day, fuller])).toEqual([hour, day, fuller]);
  // Both are used up, and the account's resets later.
  expect(quotasToShow([hour, { ...account, remaining: 0 }])).toHaveLength(2);
  expect(quotasToShow([account])).toEqual([account]);
  expect(ownQuotas([minute, hour, account])).toEqual([hour]);
});

test("the start of AWS's weeks is unknown", () => {
  expect(resetOf(day, true)).toBe(day.resets_at);
  expect(resetOf({ ...day, window: "week" }, true)).toBeNull();
  expect(resetOf({ ...day, window: "week" }, false)).toBe(day.resets_at);
  expect(resetOf(tokens, false)).toBeNull();
});
