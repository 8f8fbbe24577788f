import { resetOf, spent, tightestOfEach } from "@/api/limits";
import type { Failure, Quota } from "@/api/refusal";
import type { LimitUse, UsagePlan, UsageToday } from "@/api/types";

/** The selected key, with its plan. */
export type Concerned = { keyId: string; plan: UsagePlan | undefined };

type Refused = { failure: Failure; keyId: string } | undefined;

/** The latest refusal, until its window ends and the server confirms the next one. */
export function refusedFor(
  { keyId, plan }: Concerned,
  incident: Refused,
  today: UsageToday | undefined,
  now: number,
): Quota | undefined {
  if (incident?.failure.kind !== "quota") return undefined;
  const quota = completed(incident.failure, plan);
  if (quota.subject === "key" && incident.keyId !== keyId) return undefined;
  if (quota.resetsAt === null) return quota;
  const reset = Date.parse(quota.resetsAt);
  const opened =
    today !== undefined &&
    limitsOf(keyId, today)
      .filter((limit) => isOf(limit, quota))
      .every(({ resets_at }) => resets_at === null || Date.parse(resets_at) > reset);
  return now >= reset && opened ? undefined : quota;
}

/** Return an allowance that is already used up before the first attempt. */
export function spentBy(
  { keyId }: Concerned,
  today: UsageToday | undefined,
  enforcedByAws: boolean,
): Quota | undefined {
  // A failing request can give units back to a shared limit at any moment.
  const limit = spent(limitsOf(keyId, today).filter(({ subject }) => subject !== "site"));
  if (!limit) return undefined;
  return {
    kind: "quota",
    message: "",
    measure: limit.measure,
    requested: null,
    limit: limit.limit,
    used: limit.used,
    window: limit.window,
    subject: limit.subject,
    usagePlanId: null,
    resetsAt: resetOf(limit, enforcedByAws),
  };
}

/** Return the key's limits, as far as they are known. */
export function limitsOf(keyId: string, today: UsageToday | undefined): LimitUse[] {
  return today?.keys.find(({ api_key_id }) => api_key_id === keyId)?.limits ?? [];
}

/** Return the tightest allowance of each measure. A refusal is newer than what was known before. */
export function leastLeft(limits: LimitUse[], quota: Quota | undefined): LimitUse[] {
  return tightestOfEach(
    limits.map((limit) =>
      quota && isOf(limit, quota) ? { ...limit, remaining: leftOf(quota) } : limit,
    ),
  );
}

/** Return what is left of the allowance that refused a request. */
export function leftOf({ limit, used }: Quota): number {
  return Math.max(0, limit - used);
}

export function isOf({ subject, measure, window }: LimitUse, quota: Quota): boolean {
  return subject === quota.subject && measure === quota.measure && window === quota.window;
}

/** Fill in the window from the plan, because API Gateway does not say which one is used up. */
function completed(quota: Quota, plan: UsagePlan | undefined): Quota {
  if (quota.window !== null) return quota;
  const [window, ...others] = (plan?.limits ?? [])
    .map((limit) => limit.window)
    .filter((window) => window !== "minute");
  if (window === undefined || others.length > 0) return { ...quota, resetsAt: null };
  return { ...quota, window, resetsAt: window === "day" ? quota.resetsAt : null };
}
