"use client";

import { useRecentRequests } from "@/api/usage";
import type { RecentRequest } from "@/api/types";
import { LoadFailed } from "@/components/load-failed";
import { Skeleton } from "@/components/ui/skeleton";
import * as strings from "@/strings";
import { formatInstant } from "@/time/local-time";
import { useNow } from "@/time/use-now";

const words = strings.usage;
const { requestColumns: columns } = words;
const figure = "px-4 py-2.5 text-right tabular-nums";
const label = "px-4 py-2.5 text-left";

/** What became of each recent request: the receipt that people ask for when a count surprises. */
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

function Receipts({ receipts }: { receipts: RecentRequest[] }) {
  const now = useNow();
  if (receipts.length === 0) {
    return (
      <p className="rounded-xl border border-dashed p-8 text-center text-sm text-muted">
        {words.noRequests}
      </p>
    );
  }
  return (
    <div
      role="region"
      aria-label={words.requests}
      tabIndex={0}
      className="max-h-96 overflow-auto rounded-xl border bg-raised"
    >
      <table className="w-full text-sm whitespace-nowrap">
        <thead className="text-muted">
          <tr className="border-b">
            {[columns.time, columns.key, columns.model, columns.outcome].map((name) => (
              <th key={name} scope="col" className={`${label} font-medium`}>
                {name}
              </th>
            ))}
            {[columns.status, columns.remaining].map((name) => (
              <th key={name} scope="col" className={`${figure} font-medium`}>
                {name}
              </th>
            ))}
            <th scope="col" className={`${label} font-medium`}>
              {columns.id}
            </th>
          </tr>
        </thead>
        <tbody className="divide-y">
          {receipts.map((receipt) => (
            <tr key={receipt.request_id}>
              <td className={label}>
                <time dateTime={receipt.at}>{now === null ? "" : formatInstant(receipt.at, now)}</time>
              </td>
              <td className={`${label} max-w-48 truncate`}>
                {receipt.api_key_name} · {words.via[receipt.via] ?? receipt.via}
              </td>
              <td className={`${label} max-w-48 truncate font-mono text-xs`}>{receipt.model}</td>
              <td className={label}>{words.became(receipt.outcome, receipt.reason)}</td>
              <td className={figure}>{receipt.status}</td>
              <td className={figure}>{receipt.remaining ?? ""}</td>
              <td className={`${label} font-mono text-xs`}>{receipt.request_id}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
