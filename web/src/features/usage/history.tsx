"use client";

import { Download } from "lucide-react";
import { useState } from "react";
import type { Measure, UsageRow } from "@/api/types";
import { useUsageHistory } from "@/api/usage";
import { saveFile } from "@/browser/save-file";
import { Chart } from "@/components/charts/chart";
import { lastDays, newestFirst, stackOf, totalsOf, type Named } from "@/components/charts/figures";
import { LoadFailed } from "@/components/load-failed";
import { Button } from "@/components/ui/button";
import { Empty } from "@/components/ui/empty";
import { Skeleton } from "@/components/ui/skeleton";
import * as strings from "@/strings";
import { serverNow } from "@/time/clock";
import { Choice } from "@/components/charts/choice";
import { toCsv } from "./csv";
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
  const [split, setSplit] = useState<Split>("key");
  const [measure, setMeasure] = useState<Measure>("requests");
  if (rows.length === 0) return <Empty>{words.empty}</Empty>;
  const total = totalsOf(rows);
  const stack = stackOf(rows, lastDays(days, serverNow()), partBy[split], measure);
  return (
    <div className="space-y-6">
      <div className="rounded-xl border bg-raised p-5">
        <div className="mb-5 flex flex-wrap items-start justify-between gap-x-6 gap-y-3">
          <p className="text-sm text-muted">
            {words.total(total.requests, total.refused)}
            <br />
            {words.totalTokens(total.input, total.output)}
            <br />
            {words.totalCost(total.cost)}
            {(total.reservedTokens > 0 || total.reservedCost > 0) && (
              <>
                <br />
                {words.totalReserved(total.reservedTokens, total.reservedCost)}
              </>
            )}
          </p>
          <div className="flex gap-2">
            <Choice label={words.measure} choices={words.measures} value={measure} onChange={setMeasure} />
            <Choice label={words.splitBy} choices={words.splits} value={split} onChange={setSplit} />
          </div>
        </div>
        <Chart stack={stack} label={words.chartLabel(words.measures[measure], words.splits[split])} />
      </div>
      <UsageTable rows={newestFirst(rows)} />
    </div>
  );
}

type Split = keyof typeof words.splits;

const partBy: Record<Split, (row: UsageRow) => Named> = {
  key: ({ api_key_id, api_key_name }) => ({ id: api_key_id, name: api_key_name }),
  model: ({ model }) => ({ id: model, name: model }),
  via: ({ via }) => ({ id: via, name: words.via[via] ?? via }),
};
