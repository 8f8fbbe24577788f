import type { LimitUse } from "./types";

/** Return the limits that are allowances. A limit per minute is a throttle and refills all the time. */
function quotas(limits: LimitUse[]): LimitUse[] {
  return limits.filter(({ window }) => window !== "minute");
}

/** Return the key's own allowances. */
export function ownQuotas(limits: LimitUse[]): LimitUse[] {
  return quotas(limits).filter(({ subject }) => subject === "key");
}

/** Return the allowance with the least left. On a tie, the one that resets last. */
export function tightest(limits: LimitUse[]): LimitUse | undefined {
  return quotas(limits).reduce<LimitUse | undefined>(
    (least, next) => (least === undefined || isTighter(next, least) ? next : least),
    undefined,
  );
}

/**
 * Return the allowances to show for a key: its own, and the tightest shared one if less is left of it.
 * Own ones that reset earlier are not compared: after this hour, the day's numbers still matter.
 */
export function quotasToShow(limits: LimitUse[]): LimitUse[] {
  const own = ownQuotas(limits);
  const shared = tightest(limits.filter(({ subject }) => subject !== "key"));
  if (shared === undefined) return own;
  const until = Date.parse(shared.resets_at);
  const least = tightest(own.filter((x) => Date.parse(x.resets_at) >= until)) ?? tightest(own);
  return least === undefined || isTighter(shared, least) ? [...own, shared] : own;
}

/** Whether the reset time is known. Under AWS, weeks and months start when AWS decides. */
export function isResetKnown({ window }: LimitUse, enforcedByAws: boolean): boolean {
  return !enforcedByAws || window === "day";
}

function isTighter(a: LimitUse, b: LimitUse): boolean {
  if (a.remaining !== b.remaining) return a.remaining < b.remaining;
  return Date.parse(a.resets_at) > Date.parse(b.resets_at);
}
