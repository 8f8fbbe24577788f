import { Download } from "lucide-react";
import { useState } from "react";
import type { Measure, SiteUsage } from "@/api/types";
import { Chart } from "@/components/charts/chart";
import { Choice } from "@/components/charts/choice";
import { lastDays, stackOf, totalsOf } from "@/components/charts/figures";
import { buttonStyles } from "@/components/ui/button";
import { Empty } from "@/components/ui/empty";
import { Figure, Name, Table } from "@/components/ui/table";
import * as strings from "@/strings";
import { serverNow } from "@/time/clock";
import { formatUtcDate } from "@/time/local-time";
import { PersonLink } from "./person-link";
import { spendBy, type Spend } from "./spend";
import { sorted } from "./table-state";
import { useTableChoice, useTableState } from "./use-table-state";

const words = strings.operator.overview;
const usageWords = strings.usage;

type By = keyof typeof words.spends;

const largestFirst = { name: "asc", requests: "desc", refused: "desc", tokens: "desc", cost: "desc" } as const;
const newestFirst = { ...largestFirst, name: "desc" } as const;

/** Show what all users used and spent: a chart by day and model, and a table by day, model or person. */
export function SiteSpend({ usage, days }: { usage: SiteUsage; days: number }) {
  const [by, setBy] = useTableChoice<By>("by", words.spends, "day");
  if (usage.days.length === 0) return <Empty>{words.empty}</Empty>;
  return (
    <div className="space-y-6">
      <SpendChart rows={usage.days} days={days} />
      <div>
        <div className="mb-4 flex flex-wrap items-center justify-between gap-3">
          <Choice label={words.spendBy} choices={words.spends} value={by} onChange={setBy} />
          <a
            href={`/api/operator/usage.csv?days=${days}`}
            download
            className={buttonStyles({ variant: "secondary", size: "small" })}
          >
            <Download aria-hidden className="size-4" />
            {usageWords.download}
          </a>
        </div>
        {by === "person" && <p className="mb-3 text-sm text-muted">{words.personText}</p>}
        <SpendTable by={by} spends={spendsOf(usage, by)} />
      </div>
    </div>
  );
}

function SpendChart({ rows, days }: { rows: SiteUsage["days"]; days: number }) {
  const [measure, setMeasure] = useState<Measure>("requests");
  const { measures, splits } = usageWords;
  const byModel = ({ model }: { model: string }) => ({ id: model, name: model });
  const total = totalsOf(rows);
  return (
    <div className="rounded-xl border bg-raised p-5">
      <div className="mb-5 flex flex-wrap items-start justify-between gap-x-6 gap-y-3">
        <p className="text-sm text-muted">
          {usageWords.total(total.requests, total.refused)}
          <br />
          {usageWords.totalTokens(total.input, total.output)}
          <br />
          {usageWords.totalCost(total.cost)}
        </p>
        <Choice label={usageWords.measure} choices={measures} value={measure} onChange={setMeasure} />
      </div>
      <Chart
        stack={stackOf(rows, lastDays(days, serverNow()), byModel, measure)}
        label={usageWords.chartLabel(measures[measure], splits.model)}
      />
    </div>
  );
}

function SpendTable({ by, spends }: { by: By; spends: Spend[] }) {
  const { requests, refused, tokens, cost } = words.columns;
  const { state, sorting } = useTableState<keyof typeof largestFirst>(
    by === "day" ? newestFirst : largestFirst,
    by === "day" ? "name" : "cost",
  );
  return (
    <Table
      label={words.spendTable[by]}
      className="max-h-128"
      sorting={sorting}
      columns={[
        { label: words.spends[by], sort: "name" },
        { label: requests, figures: true, sort: "requests" },
        { label: refused, figures: true, sort: "refused" },
        { label: tokens, figures: true, sort: "tokens" },
        { label: cost, figures: true, sort: "cost" },
      ]}
    >
      {sorted(spends, (spend) => spend[state.sort], state.order).map((spend) => (
        <tr key={spend.name}>
          <Name>
            <SpendName by={by} spend={spend} />
          </Name>
          <Figure>{spend.requests}</Figure>
          <Figure>{spend.refused}</Figure>
          <Figure>{spend.tokens}</Figure>
          <Figure>{strings.figure("cost", spend.cost)}</Figure>
        </tr>
      ))}
    </Table>
  );
}

function SpendName({ by, spend }: { by: By; spend: Spend }) {
  if (spend.account_id) return <PersonLink id={spend.account_id}>{spend.name}</PersonLink>;
  return by === "day" ? formatUtcDate(spend.name) : spend.name || usageWords.noModel;
}

/** Return one row per day, model or person. The table sorts them. */
function spendsOf({ days, most_active }: SiteUsage, by: By): Spend[] {
  if (by === "day") return spendBy(days, "date");
  if (by === "model") return spendBy(days, "model");
  return most_active.map(({ email, ...amounts }) => ({ name: email, ...amounts }));
}
