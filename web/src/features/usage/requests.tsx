"use client";

import { useRecentRequests } from "@/api/usage";
import { LoadFailed } from "@/components/load-failed";
import { Receipts } from "@/components/receipts";
import { Skeleton } from "@/components/ui/skeleton";
import * as strings from "@/strings";

const words = strings.usage;

/** List how each recent request was counted, to explain surprising counts. */
export function Requests() {
  const { data, error, isFetching, refetch } = useRecentRequests();
  return (
    <section aria-labelledby="requests">
      <h2 id="requests" className="text-lg font-semibold tracking-tight">
        {words.requests}
      </h2>
      <p className="mt-1 mb-4 text-sm text-muted">{words.requestsText}</p>
      {data ? (
        <Receipts receipts={data} />
      ) : error ? (
        <LoadFailed error={error} retrying={isFetching} onRetry={() => void refetch()} />
      ) : (
        <Skeleton className="h-40 w-full rounded-xl" />
      )}
    </section>
  );
}
