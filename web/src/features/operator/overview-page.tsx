"use client";

import { useChecklist, useSiteUsage } from "@/api/operator";
import type { Measure, SiteUsage } from "@/api/types";
import { AllowanceMeter } from "@/components/allowance-meter";
import { ResetClock } from "@/components/reset-clock";
import { Skeleton } from "@/components/ui/skeleton";
import * as strings from "@/strings";
import { Ceilings } from "./ceilings";
import { Checklist } from "./checklist";
import { FailedMails } from "./failed-mails";
import { Loaded } from "./loaded";
import { SiteSpend } from "./site-spend";
import { Upstream } from "./upstream";

const words = strings.operator.overview;
const days = 30;

export function OverviewPage() {
  const usage = useSiteUsage(days);
  const checklist = useChecklist();
  // Whether the checklist is shown decides where everything else is.
  if (checklist.isPending) return <Skeleton className="h-96 w-full rounded-xl" />;
  return (
    <div className="space-y-12">
      <Checklist />
      <FailedMails />
      <div className="grid gap-6 lg:grid-cols-2">
        <section aria-labelledby="ceiling">
          <Title id="ceiling">{words.ceiling}</Title>
          <Loaded query={usage} skeleton="h-36">
            {(data) => <Today usage={data} />}
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
          {(data) => <SiteSpend usage={data} days={days} />}
        </Loaded>
      </section>
      <section aria-labelledby="ceilings">
        <Title id="ceilings">{words.ceilings}</Title>
        <Loaded query={usage} skeleton="h-64">
          {({ ceilings }) => <Ceilings ceilings={ceilings} />}
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

function Today({ usage: { today, ceilings } }: { usage: SiteUsage }) {
  const usedToday = (measure: Measure) =>
    ceilings.find((one) => one.subject === "site" && one.window === "day" && one.measure === measure)?.used ?? 0;
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
        <br />
        {words.spentToday(usedToday("cost"), usedToday("tokens"))}
      </p>
    </div>
  );
}
