"use client";

import { useState } from "react";
import { useOwnedKeys, useRevokeKey } from "@/api/operator";
import type { OwnedKey } from "@/api/types";
import { ConfirmDialog } from "@/components/confirm-dialog";
import { Button } from "@/components/ui/button";
import { Empty } from "@/components/ui/empty";
import { Actions, Cell, Name, Table } from "@/components/ui/table";
import { toast } from "@/components/ui/toast";
import * as strings from "@/strings";
import { formatDate } from "@/time/local-time";
import { AssignPlanDialog } from "./assign-plan-dialog";
import { Loaded } from "./loaded";
import { Pager } from "./pager";
import { PersonLink } from "./person-link";
import { SearchBox } from "./search-box";
import { usePage } from "./use-page";

const words = strings.operator.keys;
const { columns } = words;

type Action = "move" | "revoke";

export function OperatorKeysPage() {
  const { page, search, turn } = usePage();
  const keys = useOwnedKeys(page);
  const revoke = useRevokeKey();
  const [asked, setAsked] = useState<{ action: Action; apiKey: OwnedKey }>();
  const close = () => setAsked(undefined);

  return (
    <>
      <SearchBox placeholder={words.placeholder} onSearch={search} />
      <Loaded query={keys} skeleton="h-96">
        {({ keys: rows, total }) => (
          <>
            {rows.length === 0 ? (
              <Empty>{strings.operator.nothing}</Empty>
            ) : (
              <KeysTable rows={rows} onAction={(action, apiKey) => setAsked({ action, apiKey })} />
            )}
            <Pager offset={page.offset} shown={rows.length} total={total} onTurn={turn} />
          </>
        )}
      </Loaded>
      {asked?.action === "move" && <AssignPlanDialog apiKey={asked.apiKey} onClose={close} />}
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

type TableProps = { rows: OwnedKey[]; onAction: (action: Action, apiKey: OwnedKey) => void };

function KeysTable({ rows, onAction }: TableProps) {
  return (
    <Table
      label={strings.operator.pages.keys}
      columns={[
        ...[columns.owner, columns.name, columns.key, columns.plan, columns.lastUsed].map((label) => ({
          label,
        })),
        { label: columns.actions, actions: true },
      ]}
    >
      {rows.map((apiKey) => (
        <tr key={apiKey.id}>
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
