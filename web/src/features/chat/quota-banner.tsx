import Link from "next/link";
import type { Quota } from "@/api/refusal";
import { useEnforcedByAws } from "@/api/site";
import type { KeyAllowance, UsagePlan } from "@/api/types";
import { buttonStyles } from "@/components/ui/button";
import { Notice } from "@/components/ui/notice";
import * as strings from "@/strings";
import { formatDuration } from "@/time/duration";
import { formatInstant, formatUtc } from "@/time/local-time";
import { useNow } from "@/time/use-now";

const words = strings.chat;
const link = buttonStyles({ variant: "secondary", size: "small" });

type Props = {
  quota: Quota;
  due: boolean;
  plan: UsagePlan | undefined;
  allowance: KeyAllowance | undefined;
};

/** Stays until the limit is over: this is not news that passes, it is the state things are in. */
export function QuotaBanner({ quota, due, plan, allowance }: Props) {
  const enforcedByAws = useEnforcedByAws();
  const { subject, resetsAt } = quota;
  // API Gateway's refusal has no figures; the portal has.
  const { used, limit } = quota.limit > 0 || !allowance ? quota : allowance;
  const window = strings.windows[quota.window as keyof typeof strings.windows] ?? quota.window;
  return (
    <Notice
      tone="warn"
      alert
      title={words.quotaTitle[subject] ?? words.quotaTitle.key}
      running={<ResetLine at={resetsAt} due={due} />}
      action={
        <>
          <Link href="/usage/" className={link}>
            {words.seeUsage}
          </Link>
          {subject === "key" && (
            <Link href="/keys/" className={link}>
              {words.seePlans}
            </Link>
          )}
        </>
      }
    >
      {(words.quotaText[subject] ?? words.quotaText.key)?.(plan?.name ?? quota.usagePlanId ?? "")}{" "}
      {limit !== null && limit > 0 && words.quotaUsed(used, limit, window)}{" "}
      {subject === "key" && allowance && !enforcedByAws && words.split(allowance.by_api, allowance.by_chat)}
    </Notice>
  );
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
