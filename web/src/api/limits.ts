import type { LimitUse, Measure } from "./types";

export const measures: Measure[] = ["requests", "tokens", "cost"];

/** Return the limits that are allowances. A limit per minute is a throttle and refills all the time. */
function quotas(limits: LimitUse[]): LimitUse[] {
  return limits.filter(({ window }) => window !== "minute");
}

/** Return the key's own allowances. */
export function ownQuotas(limits: LimitUse[]): LimitUse[] {
  return quotas(limits).filter(({ subject }) => subject === "key");
}

/** Return the allowance with the least left in each measure. On a tie, the one that resets last. */
export function tightestOfEach(limits: LimitUse[]): LimitUse[] {
  return measures.flatMap((measure) => tightest(ofMeasure(limits, measure)) ?? []);
}

/** Return, of the allowances with nothing left, the one that resets last. */
export function spent(limits: LimitUse[]): LimitUse | undefined {
  return tightest(limits.filter(({ remaining }) => remaining === 0));
}

/**
 * Return the allowances to show for a key: its own, and of each measure the tightest shared one if
 * less is left of it. Own ones that reset earlier are not compared: after this hour, the day's
 * numbers still matter.
 */
export function quotasToShow(limits: LimitUse[]): LimitUse[] {
  return measures.flatMap((measure) => {
    const own = ownQuotas(ofMeasure(limits, measure));
    const shared = tightest(ofMeasure(limits, measure).filter(({ subject }) => subject !== "key"));
    if (shared === undefined) return own;
    const least = tightest(own.filter((x) => resetTime(x) >= resetTime(shared))) ?? tightest(own);
    return least === undefined || isTighter(shared, least) ? [...own, shared] : own;
  });
}

/**
 * Return when a limit resets; null if that is unknown, or never. Under AWS, weeks and months start
 * when AWS decides.
 */
export function resetOf({ window, resets_at }: LimitUse, enforcedByAws: boolean): string | null {
  return !enforcedByAws || window === "day" ? resets_at : null;
}

function ofMeasure(limits: LimitUse[], measure: Measure): LimitUse[] {
  return limits.filter((limit) => limit.measure === measure);
}

function tightest(limits: LimitUse[]): LimitUse | undefined {
  return quotas(limits).reduce<LimitUse | undefined>(
    (least, next) => (least === undefined || isTighter(next, least) ? next : least),
    undefined,
  );
}

function isTighter(a: LimitUse, b: LimitUse): boolean {
  if (a.remaining !== b.remaining) return a.remaining < b.remaining;
  return resetTime(a) > resetTime(b);
}

function resetTime({ resets_at }: LimitUse): number {
  return resets_at === null ? Infinity : Date.parse(resets_at);
}
