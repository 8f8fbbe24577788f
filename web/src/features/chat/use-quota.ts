import { useEffect } from "react";
import type { Quota } from "@/api/refusal";
import type { UsageToday } from "@/api/types";
import { useUsageToday } from "@/api/usage";
import { useNow } from "@/time/use-now";
import type { Incident } from "./use-conversation";

type Room = { limit: number; remaining: number };

/**
 * What is left for a key, and the limit that stops it, if one does. A limit is over when the server
 * says so, not when this computer's clock does.
 */
export function useQuota(keyId: string, incident: Incident | undefined) {
  const { data: today, refetch } = useUsageToday();
  const now = useNow() ?? 0;
  const quota = today && (refusedQuota(today, keyId, incident, now) ?? spentQuota(today, keyId));
  const due = quota !== undefined && now >= Date.parse(quota.resetsAt);

  useEffect(() => {
    if (!due) return;
    const timer = setInterval(() => void refetch(), 3000);
    return () => clearInterval(timer);
  }, [due, refetch]);

  return { quota, due, room: today && roomOf(today, keyId), split: today && splitOf(today, keyId) };
}

/** The refusal just met, until its window has passed and the server has opened the next. */
function refusedQuota(
  today: UsageToday,
  keyId: string,
  incident: Incident | undefined,
  now: number,
): Quota | undefined {
  if (incident?.failure.kind !== "quota") return undefined;
  const { failure } = incident;
  if (failure.subject === "key" && incident.keyId !== keyId) return undefined;
  const reset = Date.parse(failure.resetsAt);
  const nextWindow = now >= reset && Date.parse(today.account.resets_at) > reset;
  return nextWindow ? undefined : failure;
}

/** A day that is spent already, before anybody has tried. */
function spentQuota({ account, keys }: UsageToday, keyId: string): Quota | undefined {
  const key = keys.find(({ api_key_id }) => api_key_id === keyId);
  const spent = [
    { subject: "key", usage: key },
    { subject: "account", usage: account },
  ].find(({ usage }) => usage?.remaining === 0);
  if (!spent?.usage) return undefined;
  const { limit, used, resets_at } = spent.usage;
  return {
    kind: "quota",
    message: "",
    limit,
    used,
    window: "day",
    subject: spent.subject,
    usagePlanId: null,
    resetsAt: resets_at,
  };
}

/** The tighter of the two limits is what people have. */
function roomOf({ account, keys }: UsageToday, keyId: string): Room {
  const key = keys.find(({ api_key_id }) => api_key_id === keyId);
  return key && key.remaining <= account.remaining ? key : account;
}

function splitOf({ keys }: UsageToday, keyId: string): { api: number; chat: number } | undefined {
  const key = keys.find(({ api_key_id }) => api_key_id === keyId);
  return key && { api: key.by_api, chat: key.by_chat };
}
