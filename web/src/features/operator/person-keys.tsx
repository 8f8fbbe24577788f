"use client";

import { useState } from "react";
import { useAssignPlan, useManagedPlans, useRevokeKey } from "@/api/operator";
import type { ApiKey } from "@/api/types";
import { ConfirmDialog } from "@/components/confirm-dialog";
import { LimitMeters } from "@/components/limit-meters";
import { SinceClock } from "@/components/since-clock";
import { Button } from "@/components/ui/button";
import { Empty } from "@/components/ui/empty";
import { toast } from "@/components/ui/toast";
import * as strings from "@/strings";
import { formatDate } from "@/time/local-time";
import { AssignPlanDialog } from "./assign-plan-dialog";

const words = strings.operator.person;
const keyWords = strings.operator.keys;

type Asked = { action: "move" | "revoke"; apiKey: ApiKey };

/** A person's keys with the usage of each one's own limits. */
export function PersonKeys({ keys }: { keys: ApiKey[] }) {
  const plans = useManagedPlans();
  const assign = useAssignPlan();
  const revoke = useRevokeKey();
  const [asked, setAsked] = useState<Asked>();
  const close = () => setAsked(undefined);
  const planName = (id: string) => plans.data?.plans.find((plan) => plan.id === id)?.name ?? id;

  if (keys.length === 0) return <Empty>{words.noKeys}</Empty>;
  return (
    <>
      <ul className="grid grid-cols-1 gap-4 lg:grid-cols-2">
        {keys.map((apiKey) => (
          <li key={apiKey.id} className="rounded-xl border bg-raised p-5">
            <KeyHead apiKey={apiKey} planName={planName} onAction={(action) => setAsked({ action, apiKey })} />
            <LimitMeters
              limits={apiKey.limits.filter(({ subject }) => subject === "key")}
              subject={apiKey.name}
              leftOf={words.leftOf}
            />
          </li>
        ))}
      </ul>
      {asked?.action === "move" && (
        <AssignPlanDialog
          title={keyWords.moveTitle(asked.apiKey.name)}
          planId={asked.apiKey.usage_plan_id}
          onAssign={async (usage_plan_id) => {
            await assign.mutateAsync({ id: asked.apiKey.id, usage_plan_id });
            toast(keyWords.moved);
          }}
          onClose={close}
        />
      )}
      {asked?.action === "revoke" && (
        <ConfirmDialog
          danger
          title={keyWords.revokeTitle(asked.apiKey.name)}
          text={keyWords.revokeText}
          confirmLabel={keyWords.revoke}
          onConfirm={() => revoke.mutateAsync({ id: asked.apiKey.id })}
          onCancel={close}
          onDone={() => {
            toast(keyWords.revoked);
            close();
          }}
        />
      )}
    </>
  );
}

type HeadProps = {
  apiKey: ApiKey;
  planName: (id: string) => string;
  onAction: (action: Asked["action"]) => void;
};

function KeyHead({ apiKey, planName, onAction }: HeadProps) {
  const { name, prefix, last4, usage_plan_id, next_usage_plan_id, created_at, last_used_at } = apiKey;
  return (
    <div className="mb-5 flex flex-wrap items-start justify-between gap-x-4 gap-y-2">
      <div className="min-w-0">
        <h3 className="font-medium">{name}</h3>
        <p className="mt-1 flex flex-wrap gap-x-3 gap-y-1 text-sm text-muted">
          <code className="font-mono">
            {prefix}…{last4}
          </code>
          <span>{planName(usage_plan_id)}</span>
          {next_usage_plan_id && <span>{strings.keys.nextPlan(planName(next_usage_plan_id))}</span>}
          <span>{words.keyCreated(formatDate(created_at))}</span>
          {last_used_at ? <SinceClock at={last_used_at} /> : <span>{strings.keys.neverUsed}</span>}
        </p>
      </div>
      <div className="-ml-2.5 flex flex-wrap">
        {(["move", "revoke"] as const).map((action) => (
          <Button
            key={action}
            variant="ghost"
            size="small"
            aria-label={strings.keys.actionOn(keyWords[action], name)}
            onClick={() => onAction(action)}
          >
            {keyWords[action]}
          </Button>
        ))}
      </div>
    </div>
  );
}
