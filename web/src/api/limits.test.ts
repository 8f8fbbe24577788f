import { expect, test } from "vitest";
import { isResetKnown, ownQuotas, quotasToShow, tightest } from "./limits";
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

test("the tightest allowance is not a throttle, and among equals resets last", () => {
  expect(tightest([minute, hour, day, account])).toBe(hour);
  expect(tightest([minute, { ...day, remaining: 0 }, hour])).toMatchObject({ window: "day" });
  expect(tightest([minute])).toBeUndefined();
});

test("each allowance of a key is shown, and the account's when it leaves less", () => {
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

test("nobody knows where AWS's weeks begin", () => {
  expect(isResetKnown(day, true)).toBe(true);
  expect(isResetKnown({ ...day, window: "week" }, true)).toBe(false);
  expect(isResetKnown({ ...day, window: "week" }, false)).toBe(true);
});
