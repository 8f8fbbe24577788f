import Link from "next/link";
import { isSpent, type Quota } from "@/api/refusal";
import { useEnforcedByAws } from "@/api/site";
import type { UsagePlan, UsageToday } from "@/api/types";
import { buttonStyles } from "@/components/ui/button";
import { Notice } from "@/components/ui/notice";
import * as strings from "@/strings";
import { formatDuration } from "@/time/duration";
import { formatInstant, formatUtc } from "@/time/local-time";
import { useNow } from "@/time/use-now";
import { isOf, leftOf, limitsOf } from "./standing-quota";

const words = strings.chat;
const link = buttonStyles({ variant: "secondary", size: "small" });

type Props = {
  quota: Quota;
  due: boolean;
  plan: UsagePlan | undefined;
  keyId: string;
  today: UsageToday | undefined;
};

/** Shown until the limit resets: it is a lasting state, not a passing event. */
export function QuotaBanner({ quota, due, plan, keyId, today }: Props) {
  const enforcedByAws = useEnforcedByAws();
  const { subject, measure, resetsAt, requested } = quota;
  const hasRoom = !isSpent(quota);
  const counted = limitsOf(keyId, today).find((limit) => isOf(limit, quota));
  // API Gateway's refusal has no numbers. The portal has them.
  const { used, limit } = quota.limit > 0 || !counted ? quota : counted;
  const window = quota.window && (strings.windows[quota.window as keyof typeof strings.windows] ?? quota.window);
  return (
    <Notice
      tone="warn"
      alert
      title={hasRoom ? words.doesNotFit : (words.quotaTitle[subject] ?? words.quotaTitle.key)}
      running={
        resetsAt ? (
          <ResetLine at={resetsAt} due={due} />
        ) : quota.window === "total" ? (
          words.neverResets
        ) : (
          words.resetUnknown
        )
      }
      action={
        <>
          <Link href="/usage/" className={link}>
            {words.seeUsage}
          </Link>
          <Link href="/keys/" className={link}>
            {words.seePlans}
          </Link>
        </>
      }
    >
      {(words.quotaText[subject] ?? words.quotaText.key)?.(plan?.name ?? quota.usagePlanId ?? "")}{" "}
      {window && limit > 0 && words.quotaUsed(measure, used, limit, window)}{" "}
      {requested !== null && words.shortfall(measure, requested, leftOf(quota), quota.window)}{" "}
      {hasRoom && words.fitAdvice}{" "}
      {/* The split by key is known per day and for requests only. */}
      {/* Until the refusal's cause is known too, the parts do not add up. */}
      {today &&
        measure === "requests" &&
        quota.window === "day" &&
        subject !== "site" &&
        !enforcedByAws &&
        counted?.used === used &&
        splitOf(today, subject === "key" ? keyId : undefined)}
    </Notice>
  );
}

/** Describe who used the allowance: each key through the API, and chat on one or all keys. */
function splitOf({ keys }: UsageToday, keyId: string | undefined): string {
  const concerned = keys.filter(({ api_key_id }) => keyId === undefined || api_key_id === keyId);
  const byKey = concerned
    .filter(({ by_api }) => by_api > 0)
    .map(({ by_api, name }) => words.usedByKey(by_api, name));
  const byChat = concerned.reduce((sum, { by_chat }) => sum + by_chat, 0);
  return words.usedBy([...byKey, ...(byChat > 0 ? [words.usedByChat(byChat)] : [])]);
}

function ResetLine({ at, due }: { at: string; due: boolean }) {
  const now = useNow();
  if (now === null) return null;
  const countdown = due ? words.confirming : words.resetsIn(formatDuration(Date.parse(at) - now));
  return (
    <>
      {words.resetsAt(formatInstant(at, now), formatUtc(at))},{" "}
      <span className="font-medium text-foreground">{countdown}</span>.
    </>
  );
}
