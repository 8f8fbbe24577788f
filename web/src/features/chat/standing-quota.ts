import type { Failure, Quota } from "@/api/refusal";
import type { Allowance, UsagePlan, UsageToday } from "@/api/types";

/** The key in use, with its plan. */
export type Concerned = { keyId: string; plan: UsagePlan | undefined };

type Refused = { failure: Failure; keyId: string } | undefined;

/** The refusal just met, until its window has passed and the server has opened the next. */
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
  const key = today?.keys.find(({ api_key_id }) => api_key_id === keyId);
  const opened = [today?.account, key].some(
    (allowance) => allowance?.resets_at && Date.parse(allowance.resets_at) > reset,
  );
  return now >= reset && opened ? undefined : quota;
}

/** An allowance that is spent already, before anybody has tried. */
export function spentBy(
  { keyId, plan }: Concerned,
  today: UsageToday | undefined,
  enforcedByAws: boolean,
): Quota | undefined {
  const key = today?.keys.find(({ api_key_id }) => api_key_id === keyId);
  const window = windowShown(plan);
  // Weeks and months are AWS's own, and nobody knows where they begin.
  const isKnown = !enforcedByAws || window === "day";
  return (
    (key && quotaOf("key", key, window, isKnown)) ??
    (today && quotaOf("account", today.account, "day", true))
  );
}

/** What is left of an allowance: nothing, once it was refused, whatever was known before. */
export function leftOf({ remaining, window }: Allowance, quota: Quota | undefined): number | null {
  return quota?.subject === "key" && quota.window === window ? 0 : remaining;
}

/** The plan says what API Gateway does not: which window is over, and so whether midnight ends it. */
function completed(quota: Quota, plan: UsagePlan | undefined): Quota {
  if (quota.window !== null) return quota;
  const [window, ...others] = quotasOf(plan);
  if (window === undefined || others.length > 0) return { ...quota, resetsAt: null };
  return { ...quota, window, resetsAt: window === "day" ? quota.resetsAt : null };
}

/** The window that the key's allowance tells of: its day, else the longest that its plan limits. */
function windowShown(plan: UsagePlan | undefined): string {
  const windows = quotasOf(plan);
  return windows.includes("day") ? "day" : (windows.at(-1) ?? "day");
}

const windows = ["hour", "day", "week", "month"] as const;

/** Shortest first. */
function quotasOf(plan: UsagePlan | undefined): string[] {
  return windows.filter((window) => plan?.limits.some((limit) => limit.window === window));
}

function quotaOf(
  subject: string,
  { used, limit, resets_at }: Allowance,
  window: string,
  isKnown: boolean,
): Quota | undefined {
  if (limit === null || resets_at === null || used < limit) return undefined;
  return {
    kind: "quota",
    message: "",
    limit,
    used,
    window,
    subject,
    usagePlanId: null,
    resetsAt: isKnown ? resets_at : null,
  };
}
