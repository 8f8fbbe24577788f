"use client";

import { Plus } from "lucide-react";
import { useState } from "react";
import { useChangePlan, useManagedPlans } from "@/api/operator";
import type { ManagedPlan } from "@/api/types";
import { ByEnforcer } from "@/components/by-enforcer";
import { ConfirmDialog } from "@/components/confirm-dialog";
import { describeLimits } from "@/components/describe-limits";
import { NotEnforced } from "@/components/not-enforced";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Actions, Cell, Figure, Name, Table } from "@/components/ui/table";
import { toast } from "@/components/ui/toast";
import * as strings from "@/strings";
import { Loaded } from "./loaded";
import { PlanDialog } from "./plan-dialog";
import { planOf, valuesOf } from "./plan-values";
import { sorted } from "./table-state";
import { useTableState } from "./use-table-state";

const words = strings.operator.plans;
const { columns } = words;

// "listed" is the order in which people see the plans.
const sortable = { listed: "asc", name: "asc", keys: "desc" } as const;

type Asked = { action: "new" } | { action: "edit" | "retire" | "bringBack"; plan: ManagedPlan };

export function PlansPage() {
  const plans = useManagedPlans();
  const change = useChangePlan();
  const [asked, setAsked] = useState<Asked>();
  const close = () => setAsked(undefined);

  async function setRetired(plan: ManagedPlan, retired: boolean) {
    await change.mutateAsync({ ...planOf(valuesOf(plan)), retired });
    toast(retired ? words.didRetire : words.didBringBack);
  }

  return (
    <Loaded query={plans} skeleton="h-72">
      {({ plans: rows, account_requests_per_day: ceiling }) => (
        <>
          <div className="mb-4 flex flex-wrap items-start justify-between gap-4">
            <div className="max-w-2xl text-sm leading-6 text-muted">
              <ByEnforcer embedded={<p>{words.text(ceiling)}</p>} aws={<p>{words.textAws}</p>} />
            </div>
            <Button size="small" onClick={() => setAsked({ action: "new" })}>
              <Plus aria-hidden className="size-4" />
              {words.new}
            </Button>
          </div>
          <PlansTable rows={rows} onAction={(action, plan) => setAsked({ action, plan })} />
          {asked?.action === "new" && <PlanDialog onClose={close} />}
          {asked?.action === "edit" && <PlanDialog plan={asked.plan} onClose={close} />}
          {(asked?.action === "retire" || asked?.action === "bringBack") && (
            <ConfirmDialog
              {...question(asked.action, asked.plan)}
              confirmLabel={words[asked.action]}
              onConfirm={() => setRetired(asked.plan, asked.action === "retire")}
              onDone={close}
              onCancel={close}
            />
          )}
        </>
      )}
    </Loaded>
  );
}

function question(action: "retire" | "bringBack", { name, keys }: ManagedPlan) {
  return action === "retire"
    ? { title: words.retireTitle(name), text: words.retireText(keys) }
    : { title: words.bringBackTitle(name), text: words.bringBackText };
}

type TableProps = {
  rows: ManagedPlan[];
  onAction: (action: "edit" | "retire" | "bringBack", plan: ManagedPlan) => void;
};

function PlansTable({ rows, onAction }: TableProps) {
  const { state, sorting } = useTableState(sortable, "listed");
  const { sort, order } = state;
  return (
    <Table
      label={strings.operator.pages.plans}
      sorting={sorting}
      columns={[
        { label: columns.name, sort: "name" },
        { label: columns.limits },
        { label: columns.models },
        { label: columns.state },
        { label: columns.keys, figures: true, sort: "keys" },
        { label: columns.actions, actions: true },
      ]}
    >
      {(sort === "listed" ? rows : sorted(rows, (plan) => plan[sort], order)).map((plan) => (
        <tr key={plan.id}>
          <Name>
            <span className="block truncate max-sm:whitespace-normal">{plan.name}</span>
            <span className="block truncate font-mono text-xs font-normal text-muted max-sm:whitespace-normal">
              {plan.id}
            </span>
          </Name>
          <Cell className="min-w-48 whitespace-normal">
            {describeLimits(plan).join(", ") || words.noLimits}
            <NotEnforced options={plan.not_enforced} />
          </Cell>
          <Cell className="max-w-48 truncate">{plan.models.join(", ") || words.allModels}</Cell>
          <Cell>
            <State plan={plan} />
          </Cell>
          <Figure>{plan.keys}</Figure>
          <Actions>
            {plan.source === "settings" ? (
              <span className="min-w-24 px-2.5 py-1.5 whitespace-normal text-muted sm:whitespace-nowrap">{words.inSettings}</span>
            ) : (
              (["edit", plan.retired_at ? "bringBack" : "retire"] as const).map((action) => (
                <Button
                  key={action}
                  variant="ghost"
                  size="small"
                  aria-label={strings.keys.actionOn(words[action], plan.name)}
                  onClick={() => onAction(action, plan)}
                >
                  {words[action]}
                </Button>
              ))
            )}
          </Actions>
        </tr>
      ))}
    </Table>
  );
}

function State({ plan: { retired_at, self_service } }: { plan: ManagedPlan }) {
  if (retired_at) return <Badge tone="warn">{words.retired}</Badge>;
  return self_service ? <Badge tone="good">{words.offered}</Badge> : <Badge>{words.handOut}</Badge>;
}
