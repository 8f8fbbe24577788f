import { isSpent } from "@/api/refusal";
import { useEnforcedByAws } from "@/api/site";
import { usePolledUsage, useUsageToday } from "@/api/usage";
import { useNow } from "@/time/use-now";
import { refusedFor, spentBy, type Concerned } from "./standing-quota";
import type { Incident } from "./use-conversation";

/**
 * What is left for a key, and the limit that stops it, if one does. A limit is over when the server
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
    // Without a time to wait for, only another try can tell. Where something is left, less may fit.
    blocked: quota !== undefined && resetsAt !== null && isSpent(quota),
    due,
    allowances: today,
  };
}
