import type { LimitUse, Measure } from "./types";

export const measures: Measure[] = ["requests", "tokens", "cost"];

/** Limits that are an allowance. One per minute is a throttle: empty one moment and full the next. */
function quotas(limits: LimitUse[]): LimitUse[] {
  return limits.filter(({ window }) => window !== "minute");
}

/** The key's own allowances. */
export function ownQuotas(limits: LimitUse[]): LimitUse[] {
  return quotas(limits).filter(({ subject }) => subject === "key");
}

/** The allowance with the least left of each measure; among equals, the one that resets last. */
export function tightestOfEach(limits: LimitUse[]): LimitUse[] {
  return measures.flatMap((measure) => tightest(ofMeasure(limits, measure)) ?? []);
}

/** Of allowances with nothing left, the one that resets last. */
export function spent(limits: LimitUse[]): LimitUse | undefined {
  return tightest(limits.filter(({ remaining }) => remaining === 0));
}

/** What to show of a key: its own allowances, and shared ones that leave less than they do. */
export function quotasToShow(limits: LimitUse[]): LimitUse[] {
  return measures.flatMap((measure) => {
    const own = ownQuotas(ofMeasure(limits, measure));
    const least = tightest(ofMeasure(limits, measure));
    return least && least.subject !== "key" ? [...own, least] : own;
  });
}

/**
 * When a limit resets; null if nobody knows, or if it never does. Where AWS enforces, its weeks and
 * months begin when AWS says.
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
  return timeOf(a) > timeOf(b);
}

function timeOf({ resets_at }: LimitUse): number {
  return resets_at === null ? Infinity : Date.parse(resets_at);
}
