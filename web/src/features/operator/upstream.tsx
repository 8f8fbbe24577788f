"use client";

import { useUpstreamHealth } from "@/api/operator";
import type { UpstreamHealth } from "@/api/types";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { formatInstant } from "@/time/local-time";
import { useNow } from "@/time/use-now";
import * as strings from "@/strings";
import { Loaded } from "./loaded";
import { UpstreamStates } from "./upstream-state";

const words = strings.operator.overview;

export function Upstream() {
  const health = useUpstreamHealth();
  return (
    <Loaded query={health} skeleton="h-36">
      {(data) => (
        <div className="rounded-xl border bg-raised p-5">
          <div className="flex flex-wrap items-center justify-between gap-3">
            <Badge tone={data.reachable ? "good" : "danger"}>
              {data.reachable ? words.upstreamOk(data.latency_ms) : words.upstreamDown}
            </Badge>
            <Button
              variant="secondary"
              size="small"
              pending={health.isFetching}
              onClick={() => void health.refetch()}
            >
              {words.check}
            </Button>
          </div>
          <p className="mt-3 text-sm leading-6 text-muted">
            {data.problem ?? (data.demo ? words.demo : words.models(data.models))}
          </p>
          <LastRefusal refusal={data.last_refusal} />
          <LastHour health={data} />
          <UpstreamStates />
        </div>
      )}
    </Loaded>
  );
}

function LastRefusal({ refusal }: { refusal: UpstreamHealth["last_refusal"] }) {
  const now = useNow();
  if (refusal === null) return null;
  const { at, status, code, message } = refusal;
  return (
    <div className="mt-4 border-t pt-4 text-sm">
      <h3 className="font-medium">{words.refused(status)}</h3>
      <p className="mt-1 text-muted">{message || code || words.refusedSilently}</p>
      <p className="mt-1 text-muted">
        {now !== null && <time dateTime={at}>{formatInstant(at, now)}. </time>}
        {words.refusedAdvice}
      </p>
    </div>
  );
}

function LastHour({ health: { last_hour } }: { health: UpstreamHealth }) {
  return (
    <div className="mt-4 border-t pt-4 text-sm">
      <h3 className="font-medium">{words.lastHour}</h3>
      {last_hour.length === 0 ? (
        <p className="mt-1 text-muted">{words.lastHourNone}</p>
      ) : (
        <dl className="mt-2 space-y-1">
          {last_hour.map(({ outcome, reason, requests }) => (
            <div key={`${outcome} ${reason}`} className="flex justify-between gap-4">
              <dt className="text-muted">{strings.usage.became(outcome, reason)}</dt>
              <dd className="shrink-0 tabular-nums">{requests.toLocaleString("en")}</dd>
            </div>
          ))}
        </dl>
      )}
    </div>
  );
}
