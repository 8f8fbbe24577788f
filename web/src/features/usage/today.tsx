"use client";

import Link from "next/link";
import type { ReactNode } from "react";
import { useUsageToday } from "@/api/usage";
import { LoadFailed } from "@/components/load-failed";
import { ResetClock } from "@/components/reset-clock";
import { Meter } from "@/components/ui/meter";
import { Skeleton } from "@/components/ui/skeleton";
import { strings } from "@/strings";

const words = strings.usage;

export function Today() {
  const { data, error, isFetching, refetch } = useUsageToday();
  return (
    <section aria-labelledby="today">
      <h2 id="today" className="mb-4 text-lg font-semibold tracking-tight">
        {words.today}
      </h2>
      {data ? (
        <div className="rounded-xl border bg-raised">
          <div className="p-5">
            <Allowance name={words.account} used={data.account.used} limit={data.account.limit}>
              <ResetClock at={data.account.resets_at} />
            </Allowance>
          </div>
          {data.keys.length > 0 ? (
            <ul aria-label={words.perKey} className="divide-y border-t">
              {data.keys.map((key) => (
                <li key={key.api_key_id} className="p-5">
                  <Allowance name={key.name} used={key.used} limit={key.limit}>
                    {strings.chat.split(key.by_api, key.by_chat)}
                  </Allowance>
                </li>
              ))}
            </ul>
          ) : (
            <p className="border-t p-5 text-sm text-muted">
              {words.noKeys}{" "}
              <Link href="/keys/" className="rounded-sm font-medium text-foreground underline underline-offset-4">
                {strings.chat.createKey}
              </Link>
            </p>
          )}
        </div>
      ) : error ? (
        <LoadFailed error={error} retrying={isFetching} onRetry={() => void refetch()} />
      ) : (
        <Skeleton className="h-52 w-full rounded-xl" />
      )}
    </section>
  );
}

type Props = { name: string; used: number; limit: number; children: ReactNode };

function Allowance({ name, used, limit, children }: Props) {
  return (
    <>
      <div className="mb-2 flex flex-wrap items-baseline justify-between gap-x-4 text-sm">
        <span className="min-w-0 font-medium break-words">{name}</span>
        <span className="text-muted tabular-nums">{strings.keys.ofLimit(used, limit)}</span>
      </div>
      <Meter used={used} limit={limit} label={`${name}: ${strings.keys.used(used, limit)}`} />
      <p className="mt-2 text-sm text-muted">{children}</p>
    </>
  );
}
