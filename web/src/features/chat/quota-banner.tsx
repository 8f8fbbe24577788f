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

/** Stays until the limit is over: this is not news that passes, it is the state things are in. */
export function QuotaBanner({ quota, due, plan, keyId, today }: Props) {
  const enforcedByAws = useEnforcedByAws();
  const { subject, measure, resetsAt, requested } = quota;
  const hasRoom = !isSpent(quota);
  const counted = limitsOf(keyId, today).find((limit) => isOf(limit, quota));
  // API Gateway's refusal has no figures; the portal has.
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
      {/* Who used it is known of a day only. */}
      {/* Until what led to a refusal is known too, the parts do not make up the whole. */}
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

/** Who used it: each key by the API, and the chat on one key or on all of them. */
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
