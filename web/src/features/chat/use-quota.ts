import { isSpent } from "@/api/refusal";
import { useEnforcedByAws } from "@/api/site";
import { usePolledUsage, useUsageToday } from "@/api/usage";
import { useNow } from "@/time/use-now";
import { refusedFor, spentBy, type Concerned } from "./standing-quota";
import type { Incident } from "./use-conversation";

/**
 * Return what is left for a key and the limit that blocks it, if any. A limit ends when the server
 * says so, not when this computer's clock does.
 */
export function useQuota(concerned: Concerned, incident: Incident | undefined) {
  const { data: today } = useUsageToday();
  const enforcedByAws = useEnforcedByAws();
  const now = useNow() ?? 0;
  const quota =
    refusedFor(concerned, incident, today, now) ?? spentBy(concerned, today, enforcedByAws);
  const resetsAt = quota?.resetsAt ?? null;
  const due = resetsAt !== null && now >= Date.parse(resetsAt);

  usePolledUsage(due);

  return {
    quota,
    // Without a known reset time, only another attempt can tell. While something is left, a smaller
    // message may fit.
    blocked: quota !== undefined && resetsAt !== null && isSpent(quota),
    due,
    allowances: today,
  };
}
