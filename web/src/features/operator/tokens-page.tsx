"use client";

import Link from "next/link";
import { useState } from "react";
import { useRevokeToken, useTokens } from "@/api/operator";
import type { AdminToken, CreatedToken } from "@/api/types";
import { ConfirmDialog } from "@/components/confirm-dialog";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { CopyButton } from "@/components/ui/copy-button";
import { Empty } from "@/components/ui/empty";
import { Actions, Cell, Name, Table } from "@/components/ui/table";
import { toast } from "@/components/ui/toast";
import * as strings from "@/strings";
import { formatDate, formatInstant } from "@/time/local-time";
import { useNow } from "@/time/use-now";
import { Loaded } from "./loaded";
import { TokenForm } from "./token-form";

const words = strings.tokens;
const { columns } = words;

/** List, create and revoke admin tokens. A new token is held only in this component's state. */
export function TokensPage() {
  const tokens = useTokens();
  const revoke = useRevokeToken();
  const [created, setCreated] = useState<CreatedToken>();
  const [asked, setAsked] = useState<AdminToken>();

  async function end({ id }: AdminToken) {
    await revoke.mutateAsync({ id });
    toast(words.didRevoke);
    if (created?.id === id) setCreated(undefined);
  }

  return (
    <div className="space-y-8">
      <p className="max-w-2xl text-sm leading-6 text-muted">
        {words.text}{" "}
        <Link href="/docs/" className="underline">
          {words.docs}
        </Link>
      </p>
      <TokenForm onCreated={setCreated} />
      {created && <NewToken token={created.token} />}
      <Loaded query={tokens} skeleton="h-64">
        {(rows) =>
          rows.length === 0 ? <Empty>{words.none}</Empty> : <TokenTable rows={rows} onRevoke={setAsked} />
        }
      </Loaded>
      {asked && (
        <ConfirmDialog
          title={words.revokeTitle(asked.name)}
          text={words.revokeText}
          confirmLabel={words.revoke}
          danger
          onConfirm={() => end(asked)}
          onDone={() => setAsked(undefined)}
          onCancel={() => setAsked(undefined)}
        />
      )}
    </div>
  );
}

function NewToken({ token }: { token: string }) {
  return (
    <div role="status" className="space-y-3 rounded-xl border border-accent/50 bg-accent-soft p-5">
      <p className="text-sm">{words.tokenText}</p>
      <div className="flex flex-wrap items-center gap-3 rounded-lg border bg-raised p-3">
        <code
          aria-label={words.token}
          className="min-w-0 flex-1 basis-64 font-mono text-sm break-all select-all"
        >
          {token}
        </code>
        <CopyButton variant="primary" text={token} label={words.copy} />
      </div>
    </div>
  );
}

type TableProps = { rows: AdminToken[]; onRevoke: (token: AdminToken) => void };

function TokenTable({ rows, onRevoke }: TableProps) {
  const now = useNow() ?? 0;
  return (
    <Table
      label={words.table}
      columns={[
        ...[columns.name, columns.scopes, columns.by, columns.used, columns.state].map((label) => ({ label })),
        { label: columns.actions, actions: true },
      ]}
    >
      {rows.map((token) => (
        <tr key={token.id}>
          <Name>{token.name}</Name>
          <Cell className="font-mono text-xs">{token.scopes.join(", ")}</Cell>
          <Cell className="max-w-64 truncate">{token.created_by}</Cell>
          <Cell className="text-muted">
            {token.last_used_at ? formatInstant(token.last_used_at, now) : words.never}
          </Cell>
          <Cell>
            <State token={token} />
          </Cell>
          <Actions>
            {token.state === "active" && (
              <Button
                variant="ghost"
                size="small"
                aria-label={strings.keys.actionOn(words.revoke, token.name)}
                onClick={() => onRevoke(token)}
              >
                {words.revoke}
              </Button>
            )}
          </Actions>
        </tr>
      ))}
    </Table>
  );
}

function State({ token: { state, expires_at } }: { token: AdminToken }) {
  if (state === "revoked") return <Badge>{words.revoked}</Badge>;
  if (state === "expired") return <Badge tone="warn">{words.expired}</Badge>;
  return <Badge tone="good">{words.activeUntil(formatDate(expires_at))}</Badge>;
}
