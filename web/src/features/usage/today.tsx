"use client";

import Link from "next/link";
import type { UsageToday } from "@/api/types";
import { ownQuotas } from "@/api/limits";
import { useUsageToday } from "@/api/usage";
import { AllowanceMeter } from "@/components/allowance-meter";
import { LimitMeters } from "@/components/limit-meters";
import { LoadFailed } from "@/components/load-failed";
import { ResetClock } from "@/components/reset-clock";
import { Skeleton } from "@/components/ui/skeleton";
import * as strings from "@/strings";

const words = strings.usage;

export function Today() {
  const { data, error, isFetching, refetch } = useUsageToday();
  return (
    <section aria-labelledby="today">
      <h2 id="today" className="mb-4 text-lg font-semibold tracking-tight">
        {words.today}
      </h2>
      {data ? (
        <Allowances {...data} />
      ) : error ? (
        <LoadFailed error={error} retrying={isFetching} onRetry={() => void refetch()} />
      ) : (
        <Skeleton className="h-52 w-full rounded-xl" />
      )}
    </section>
  );
}

function Allowances({ account, keys }: UsageToday) {
  // The day's requests have a meter of their own, also without a limit.
  const limits = account.limits.filter((x) => x.measure !== "requests" || x.window !== "day");
  return (
    <div className="rounded-xl border bg-raised">
      <div className="p-5">
        <AllowanceMeter title={words.account} subject={words.account} allowance={account} />
        {account.resets_at && (
          <p className="mt-2 text-sm text-muted">
            <ResetClock at={account.resets_at} />
          </p>
        )}
        {limits.length > 0 && (
          <div className="mt-4">
            <LimitMeters limits={limits} subject={words.account} />
          </div>
        )}
        <UsedToday {...account} />
      </div>
      {keys.length > 0 ? (
        <ul aria-label={words.perKey} className="divide-y border-t">
          {keys.map((key) => (
            <li key={key.api_key_id} className="p-5">
              <h3 className="mb-3 text-sm font-medium">{key.name}</h3>
              <LimitMeters limits={ownQuotas(key.limits)} subject={key.name} />
              <p className="mt-2 text-sm text-muted">
                {strings.chat.split(key.by_api, key.by_chat)}
              </p>
              <UsedToday {...key} />
            </li>
          ))}
        </ul>
      ) : (
        <p className="border-t p-5 text-sm text-muted">
          {words.noKeys}{" "}
          <Link
            href="/keys/"
            className="rounded-sm font-medium text-foreground underline underline-offset-4"
          >
            {strings.chat.createKey}
          </Link>
        </p>
      )}
    </div>
  );
}

function UsedToday({ tokens, cost }: Pick<UsageToday["account"], "tokens" | "cost">) {
  if (tokens === 0 && cost === 0) return null;
  return <p className="mt-2 text-sm text-muted">{words.usedToday(tokens, cost)}</p>;
}
