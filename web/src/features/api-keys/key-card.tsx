import { Pause, Pencil, Play, Plug, RotateCw, Trash2 } from "lucide-react";
import { quotasToShow } from "@/api/limits";
import type { ApiKey, UsagePlan } from "@/api/types";
import { describeLimit } from "@/components/describe-limits";
import { LimitMeters } from "@/components/limit-meters";
import { NotEnforced } from "@/components/not-enforced";
import { SinceClock } from "@/components/since-clock";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import * as strings from "@/strings";
import { formatInstant } from "@/time/local-time";
import { useNow } from "@/time/use-now";
import type { KeyAction } from "./key-list";
import { controlOf } from "./return-focus";

const words = strings.keys;

const actions = [
  { action: "connect", label: words.connect, Icon: Plug },
  { action: "edit", label: words.edit, Icon: Pencil },
  { action: "rotate", label: words.rotate, Icon: RotateCw },
  { action: "delete", label: words.delete, Icon: Trash2 },
] as const;

type Props = {
  apiKey: ApiKey;
  plan: UsagePlan | undefined;
  /** The plan that takes effect at the end of the day, if any. */
  next: UsagePlan | undefined;
  onAction: (action: KeyAction) => void;
  onPause: (paused: boolean) => void;
};

export function KeyCard({ apiKey, plan, next, onAction, onPause }: Props) {
  const { name, prefix, last4, limits, concurrent_requests: concurrent, last_used_at } = apiKey;
  const { paused, note, expires_at, allowed_models } = apiKey;
  // A throttle refills all the time, so there is nothing to draw.
  const throttles = plan?.limits.filter(({ window }) => window === "minute") ?? [];
  return (
    <li className="rounded-xl border bg-raised p-5">
      <div className="flex flex-wrap items-start justify-between gap-x-4 gap-y-3">
        <div className="min-w-0">
          <h3 className="font-medium wrap-anywhere">{name}</h3>
          <p className="mt-1 flex flex-wrap gap-x-3 gap-y-1 text-sm text-muted">
            <code className="font-mono">
              {prefix}…{last4}
            </code>
            <span>{plan?.name ?? apiKey.usage_plan_id}</span>
            {throttles.map((limit) => (
              <span key={limit.measure}>{words.atMost(describeLimit(limit))}</span>
            ))}
            {concurrent && <span>{words.concurrent(concurrent.used, concurrent.limit)}</span>}
            {next && <span>{words.nextPlan(next.name)}</span>}
            {apiKey.activating && <span>{words.activating}</span>}
            {paused && <Badge tone="warn">{words.paused}</Badge>}
            {expires_at && <Expiry at={expires_at} />}
            {allowed_models.length > 0 && (
              <span className="wrap-anywhere">{words.onlyModels(allowed_models.join(", "))}</span>
            )}
          </p>
          {note && <p className="mt-1 text-sm wrap-anywhere text-muted">{note}</p>}
        </div>
        <div className="-ml-1.5 flex flex-wrap sm:-mt-1 sm:-mr-2.5 sm:ml-0">
          {actions.map(({ action, label, Icon }) => (
            <Button
              key={action}
              variant="ghost"
              size="small"
              className="max-sm:px-1.5"
              data-control={controlOf(action, apiKey.id)}
              aria-label={words.actionOn(label, name)}
              onClick={() => onAction(action)}
            >
              <Icon aria-hidden className="size-3.5 max-sm:hidden" />
              {label}
            </Button>
          ))}
          <Button
            variant="ghost"
            size="small"
            className="max-sm:px-1.5"
            aria-label={words.actionOn(paused ? words.resume : words.pause, name)}
            onClick={() => onPause(!paused)}
          >
            {paused ? <Play aria-hidden className="size-3.5 max-sm:hidden" /> : <Pause aria-hidden className="size-3.5 max-sm:hidden" />}
            {paused ? words.resume : words.pause}
          </Button>
        </div>
      </div>
      {plan && <NotEnforced options={plan.not_enforced} className="mt-3" />}
      <div className="mt-5">
        <LimitMeters limits={quotasToShow(limits)} subject={name} />
      </div>
      <p className="mt-3 text-sm text-muted">
        {last_used_at ? <SinceClock at={last_used_at} /> : <span>{words.neverUsed}</span>}
      </p>
    </li>
  );
}

function Expiry({ at }: { at: string }) {
  const now = useNow();
  if (now === null) return null;
  const when = formatInstant(at, now);
  const isOver = new Date(at).getTime() <= now;
  return isOver ? <Badge tone="danger">{words.expired(when)}</Badge> : <span>{words.expires(when)}</span>;
}
