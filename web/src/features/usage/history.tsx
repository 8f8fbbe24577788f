"use client";

import { Download } from "lucide-react";
import { useUsageHistory } from "@/api/usage";
import type { UsageRow } from "@/api/types";
import { saveFile } from "@/browser/save-file";
import { LoadFailed } from "@/components/load-failed";
import { Button } from "@/components/ui/button";
import { Skeleton } from "@/components/ui/skeleton";
import * as strings from "@/strings";
import { serverNow } from "@/time/clock";
import { Chart } from "./chart";
import { toCsv } from "./csv";
import { byDay, newestFirst, totalOf } from "./days";
import { UsageTable } from "./usage-table";

const words = strings.usage;
const days = 30;

export function History() {
  const { data, error, isFetching, refetch } = useUsageHistory(days);
  return (
    <section aria-labelledby="history">
      <div className="mb-4 flex min-h-8 flex-wrap items-center justify-between gap-3">
        <h2 id="history" className="text-lg font-semibold tracking-tight">
          {words.history}
        </h2>
        {data && data.length > 0 && (
          <Button
            variant="secondary"
            size="small"
            onClick={() => saveFile("daypass-usage.csv", "text/csv", toCsv(newestFirst(data)))}
          >
            <Download aria-hidden className="size-4" />
            {words.download}
          </Button>
        )}
      </div>
      {data ? (
        <Figures rows={data} />
      ) : error ? (
        <LoadFailed error={error} retrying={isFetching} onRetry={() => void refetch()} />
      ) : (
        <Skeleton className="h-64 w-full rounded-xl" />
      )}
    </section>
  );
}

function Figures({ rows }: { rows: UsageRow[] }) {
  if (rows.length === 0) {
    return (
      <p className="rounded-xl border border-dashed p-8 text-center text-sm text-muted">
        {words.empty}
      </p>
    );
  }
  const daily = byDay(rows, days, serverNow());
  const { requests, refused } = totalOf(daily);
  return (
    <div className="space-y-6">
      <div className="rounded-xl border bg-raised p-5">
        <p className="mb-5 text-sm text-muted">{words.total(requests, refused)}</p>
        <Chart days={daily} />
      </div>
      <UsageTable rows={newestFirst(rows)} />
    </div>
  );
}
