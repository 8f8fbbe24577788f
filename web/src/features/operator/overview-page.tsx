"use client";

import { useSiteUsage } from "@/api/operator";
import type { SiteUsage } from "@/api/types";
import { AllowanceMeter } from "@/components/allowance-meter";
import { Chart } from "@/components/charts/chart";
import { lastDays, stackOf, totalsOf } from "@/components/charts/figures";
import { ResetClock } from "@/components/reset-clock";
import { Empty } from "@/components/ui/empty";
import { Figure, Name, Table } from "@/components/ui/table";
import * as strings from "@/strings";
import { serverNow } from "@/time/clock";
import { FailedMails } from "./failed-mails";
import { Loaded } from "./loaded";
import { Upstream } from "./upstream";

const words = strings.operator.overview;
const days = 30;

export function OverviewPage() {
  const usage = useSiteUsage(days);
  return (
    <div className="space-y-12">
      <FailedMails />
      <div className="grid gap-6 lg:grid-cols-2">
        <section aria-labelledby="ceiling">
          <Title id="ceiling">{words.ceiling}</Title>
          <Loaded query={usage} skeleton="h-36">
            {({ today }) => <Ceiling today={today} />}
          </Loaded>
        </section>
        <section aria-labelledby="upstream">
          <Title id="upstream">{words.upstream}</Title>
          <Upstream />
        </section>
      </div>
      <section aria-labelledby="site-history">
        <Title id="site-history">{words.history}</Title>
        <Loaded query={usage} skeleton="h-64">
          {(data) => <SiteHistory usage={data} />}
        </Loaded>
      </section>
    </div>
  );
}

function Title({ id, children }: { id: string; children: string }) {
  return (
    <h2 id={id} className="mb-4 text-lg font-semibold tracking-tight">
      {children}
    </h2>
  );
}

function Ceiling({ today }: { today: SiteUsage["today"] }) {
  return (
    <div className="rounded-xl border bg-raised p-5">
      <AllowanceMeter title={words.site} subject={words.site} allowance={today} />
      <p className="mt-3 text-sm leading-6 text-muted">
        {today.resets_at && (
          <>
            <ResetClock at={today.resets_at} />
            <br />
          </>
        )}
        {today.limit === null ? words.noCeiling : words.ceilingFrom}
      </p>
    </div>
  );
}

function SiteHistory({ usage: { days: rows, most_active } }: { usage: SiteUsage }) {
  if (rows.length === 0) return <Empty>{words.empty}</Empty>;
  const byModel = ({ model }: { model: string }) => ({ id: model, name: model });
  const stack = stackOf(rows, lastDays(days, serverNow()), byModel, "requests");
  const { requests, refused } = totalsOf(rows);
  const { measures, splits } = strings.usage;
  return (
    <div className="space-y-6">
      <div className="rounded-xl border bg-raised p-5">
        <p className="mb-5 text-sm text-muted">{strings.usage.total(requests, refused)}</p>
        <Chart stack={stack} label={strings.usage.chartLabel(measures.requests, splits.model)} />
      </div>
      <Table
        label={words.active}
        columns={[
          { label: words.columns.account },
          { label: words.columns.requests, figures: true },
          { label: words.columns.refused, figures: true },
        ]}
      >
        {most_active.map((account) => (
          <tr key={account.email}>
            <Name>{account.email}</Name>
            <Figure>{account.requests}</Figure>
            <Figure>{account.refused}</Figure>
          </tr>
        ))}
      </Table>
    </div>
  );
}
