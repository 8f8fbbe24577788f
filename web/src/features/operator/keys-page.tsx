"use client";

import { useState, type ComponentProps } from "react";
import { useAssignPlan, useChangeKeys, useOwnedKeys, useRevokeKey } from "@/api/operator";
import type { OwnedKey } from "@/api/types";
import { ConfirmDialog } from "@/components/confirm-dialog";
import { Button } from "@/components/ui/button";
import { Empty } from "@/components/ui/empty";
import { Actions, Cell, Name, Selector, Table } from "@/components/ui/table";
import { toast } from "@/components/ui/toast";
import * as strings from "@/strings";
import { formatDate } from "@/time/local-time";
import { AssignPlanDialog } from "./assign-plan-dialog";
import { Loaded } from "./loaded";
import { Pager } from "./pager";
import { PersonLink } from "./person-link";
import { SearchBox } from "./search-box";
import { SelectionBar } from "./selection-bar";
import { useSelection } from "./use-selection";
import { useTableState } from "./use-table-state";

const words = strings.operator.keys;
const { columns } = words;

const sortable = {
  account_email: "asc",
  name: "asc",
  usage_plan_id: "asc",
  last_used_at: "desc",
  created_at: "desc",
} as const;

type Action = "move" | "revoke";

export function OperatorKeysPage() {
  const { state, search, turn, sorting } = useTableState(sortable, "created_at");
  const keys = useOwnedKeys(state);
  const revoke = useRevokeKey();
  const assign = useAssignPlan();
  const selection = useSelection();
  const changeMany = useChangeKeys();
  const [asked, setAsked] = useState<{ action: Action; apiKey: OwnedKey }>();
  const close = () => setAsked(undefined);

  return (
    <>
      <SearchBox placeholder={words.placeholder} value={state.search} onSearch={search} />
      <Loaded query={keys} skeleton="h-96">
        {({ keys: rows, total }) => (
          <>
            {rows.length === 0 ? (
              <Empty>{strings.operator.nothing}</Empty>
            ) : (
              <KeysTable
                rows={rows}
                sorting={sorting}
                selection={selection}
                onAction={(action, apiKey) => setAsked({ action, apiKey })}
              />
            )}
            <Pager offset={state.offset} shown={rows.length} total={total} onTurn={turn} />
          </>
        )}
      </Loaded>
      <SelectionBar
        selection={selection}
        actions={[
          { name: "move", label: words.move, ...words.moveMany },
          { name: "revoke", label: words.revoke, danger: true, ...words.revokeMany },
        ]}
        onAct={(action, ids) => changeMany.mutateAsync({ ids, action })}
        dialog={(action, { title, ids, run, close: closeMany }) =>
          action === "move" && (
            <AssignPlanDialog
              title={title}
              onAssign={(usage_plan_id) =>
                run(() => changeMany.mutateAsync({ ids, action, usage_plan_id }))
              }
              onClose={closeMany}
            />
          )
        }
      />
      {asked?.action === "move" && (
        <AssignPlanDialog
          title={words.moveTitle(asked.apiKey.name)}
          planId={asked.apiKey.usage_plan_id}
          onAssign={async (usage_plan_id) => {
            await assign.mutateAsync({ id: asked.apiKey.id, usage_plan_id });
            toast(words.moved);
          }}
          onClose={close}
        />
      )}
      {asked?.action === "revoke" && (
        <ConfirmDialog
          danger
          title={words.revokeTitle(asked.apiKey.name)}
          text={words.revokeText}
          confirmLabel={words.revoke}
          onConfirm={() => revoke.mutateAsync({ id: asked.apiKey.id })}
          onCancel={close}
          onDone={() => {
            toast(words.revoked);
            close();
          }}
        />
      )}
    </>
  );
}

type TableProps = {
  rows: OwnedKey[];
  sorting: ComponentProps<typeof Table>["sorting"];
  selection: ReturnType<typeof useSelection>;
  onAction: (action: Action, apiKey: OwnedKey) => void;
};

const itemOf = ({ id, name, account_email }: OwnedKey) => ({ id, name: words.of(name, account_email) });

function KeysTable({ rows, sorting, selection, onAction }: TableProps) {
  return (
    <Table
      label={strings.operator.pages.keys}
      sorting={sorting}
      selectAll={selection.allBox(rows.map(itemOf))}
      columns={[
        { label: columns.owner, sort: "account_email" },
        { label: columns.name, sort: "name" },
        { label: columns.key },
        { label: columns.plan, sort: "usage_plan_id" },
        { label: columns.lastUsed, sort: "last_used_at" },
        { label: columns.created, sort: "created_at" },
        { label: columns.actions, actions: true },
      ]}
    >
      {rows.map((apiKey) => (
        <tr key={apiKey.id}>
          <Selector>{selection.box(itemOf(apiKey))}</Selector>
          <Name>
            <PersonLink id={apiKey.account_id}>{apiKey.account_email}</PersonLink>
          </Name>
          <Cell className="max-w-48 truncate">{apiKey.name}</Cell>
          <Cell className="font-mono text-xs">
            {apiKey.prefix}…{apiKey.last4}
          </Cell>
          <Cell className="max-w-48 truncate">{apiKey.usage_plan_id}</Cell>
          <Cell className="text-muted">
            {apiKey.last_used_at ? formatDate(apiKey.last_used_at) : words.never}
          </Cell>
          <Cell className="text-muted">{formatDate(apiKey.created_at)}</Cell>
          <Actions>
            {(["move", "revoke"] as const).map((action) => (
              <Button
                key={action}
                variant="ghost"
                size="small"
                aria-label={strings.keys.actionOn(words[action], apiKey.name)}
                onClick={() => onAction(action, apiKey)}
              >
                {words[action]}
              </Button>
            ))}
          </Actions>
        </tr>
      ))}
    </Table>
  );
}
