import type { LimitUse } from "./types";

/** Limits that are an allowance. One per minute is a throttle: empty one moment and full the next. */
function quotas(limits: LimitUse[]): LimitUse[] {
  return limits.filter(({ window }) => window !== "minute");
}

/** The key's own allowances. */
export function ownQuotas(limits: LimitUse[]): LimitUse[] {
  return quotas(limits).filter(({ subject }) => subject === "key");
}

/** The allowance with the least left; among equals, the one that resets last. */
export function tightest(limits: LimitUse[]): LimitUse | undefined {
  return quotas(limits).reduce<LimitUse | undefined>(
    (least, next) => (least === undefined || isTighter(next, least) ? next : least),
    undefined,
  );
}

/**
 * What to show of a key: its own allowances, and a shared one that leaves less than they do. Own ones
 * that reset earlier are not compared: with none left this hour, the day's numbers still matter.
 */
export function quotasToShow(limits: LimitUse[]): LimitUse[] {
  const own = ownQuotas(limits);
  const shared = tightest(limits.filter(({ subject }) => subject !== "key"));
  if (shared === undefined) return own;
  const until = Date.parse(shared.resets_at);
  const least = tightest(own.filter((x) => Date.parse(x.resets_at) >= until)) ?? tightest(own);
  return least === undefined || isTighter(shared, least) ? [...own, shared] : own;
}

/** Whether the reset is known: where AWS enforces, its weeks and months begin when AWS says. */
export function isResetKnown({ window }: LimitUse, enforcedByAws: boolean): boolean {
  return !enforcedByAws || window === "day";
}

function isTighter(a: LimitUse, b: LimitUse): boolean {
  if (a.remaining !== b.remaining) return a.remaining < b.remaining;
  return Date.parse(a.resets_at) > Date.parse(b.resets_at);
}
