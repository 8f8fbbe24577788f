import { useEffect } from "react";
import type { Quota } from "@/api/refusal";
import type { Allowance, KeyAllowance, UsageToday } from "@/api/types";
import { useUsageToday } from "@/api/usage";
import { useNow } from "@/time/use-now";
import type { Incident } from "./use-conversation";

/**
 * What is left for a key, and the limit that stops it, if one does. A limit is over when the server
 * says so, not when this computer's clock does.
 */
export function useQuota(keyId: string, incident: Incident | undefined) {
  const { data: today, refetch } = useUsageToday();
  const now = useNow() ?? 0;
  const key = today?.keys.find(({ api_key_id }) => api_key_id === keyId);
  const quota = standing(incident, keyId, [today?.account, key], now) ?? spent(today, key);
  const due = quota !== undefined && now >= Date.parse(quota.resetsAt);

  useEffect(() => {
    if (!due) return;
    const timer = setInterval(() => void refetch(), 3000);
    return () => clearInterval(timer);
  }, [due, refetch]);

  return { quota, due, allowances: today };
}

/** The refusal just met, until its window has passed and the server has opened the next. */
function standing(
  incident: Incident | undefined,
  keyId: string,
  allowances: (Allowance | undefined)[],
  now: number,
): Quota | undefined {
  if (incident?.failure.kind !== "quota") return undefined;
  const { failure } = incident;
  if (failure.subject === "key" && incident.keyId !== keyId) return undefined;
  const reset = Date.parse(failure.resetsAt);
  const opened = allowances.some(
    (allowance) => allowance?.resets_at && Date.parse(allowance.resets_at) > reset,
  );
  return now >= reset && opened ? undefined : failure;
}

/** An allowance that is spent already, before anybody has tried. */
function spent(today: UsageToday | undefined, key: KeyAllowance | undefined): Quota | undefined {
  return (key && quotaOf("key", key)) ?? (today && quotaOf("account", today.account));
}

function quotaOf(subject: string, { used, limit, resets_at }: Allowance): Quota | undefined {
  if (limit === null || resets_at === null || used < limit) return undefined;
  return {
    kind: "quota",
    message: "",
    limit,
    used,
    window: "day",
    subject,
    usagePlanId: null,
    resetsAt: resets_at,
  };
}
