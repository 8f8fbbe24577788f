"use client";

import { Plus } from "lucide-react";
import { useState } from "react";
import { useDeleteUpstream, useUpstreams } from "@/api/operator";
import type { Upstream } from "@/api/types";
import { ConfirmDialog } from "@/components/confirm-dialog";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Empty } from "@/components/ui/empty";
import { Actions, Cell, Name, Table } from "@/components/ui/table";
import { toast } from "@/components/ui/toast";
import * as strings from "@/strings";
import { Loaded } from "./loaded";
import { UpstreamDialog } from "./upstream-dialog";
import { UpstreamState } from "./upstream-state";
import { UpstreamTester } from "./upstream-test";

const words = strings.upstreams;
const { columns } = words;

type Action = "try" | "edit" | "delete";
type Asked = { action: "new" } | { action: Action; upstream: Upstream };

export function UpstreamsPage() {
  const upstreams = useUpstreams();
  const remove = useDeleteUpstream();
  const [asked, setAsked] = useState<Asked>();
  const close = () => setAsked(undefined);
  return (
    <>
      <div className="mb-4 flex flex-wrap items-start justify-between gap-4">
        <p className="max-w-2xl text-sm leading-6 text-muted">{words.text}</p>
        <Button size="small" onClick={() => setAsked({ action: "new" })}>
          <Plus aria-hidden className="size-4" />
          {words.new}
        </Button>
      </div>
      <Loaded query={upstreams} skeleton="h-48">
        {({ upstreams: rows }) =>
          rows.length === 0 ? (
            <Empty>{words.empty}</Empty>
          ) : (
            <UpstreamTable rows={rows} onAction={(action, upstream) => setAsked({ action, upstream })} />
          )
        }
      </Loaded>
      {asked?.action === "new" && <UpstreamDialog onClose={close} />}
      {asked?.action === "edit" && <UpstreamDialog upstream={asked.upstream} onClose={close} />}
      {asked?.action === "try" && (
        <Dialog onClose={close} title={words.testTitle(asked.upstream.name)} description={words.testDescription}>
          <UpstreamTester onTest={() => Promise.resolve({ id: asked.upstream.id })} />
          <div className="mt-5 flex justify-end">
            <Button variant="secondary" onClick={close}>
              {strings.actions.close}
            </Button>
          </div>
        </Dialog>
      )}
      {asked?.action === "delete" && (
        <ConfirmDialog
          danger
          title={words.deleteTitle(asked.upstream.name)}
          text={words.deleteText}
          confirmLabel={words.delete}
          onConfirm={() => remove.mutateAsync({ id: asked.upstream.id })}
          onCancel={close}
          onDone={() => {
            toast(words.deleted);
            close();
          }}
        />
      )}
    </>
  );
}

type TableProps = { rows: Upstream[]; onAction: (action: Action, upstream: Upstream) => void };

function UpstreamTable({ rows, onAction }: TableProps) {
  return (
    <Table
      label={strings.operator.pages.upstreams}
      columns={[
        { label: columns.name },
        { label: columns.health },
        { label: columns.models },
        { label: columns.key },
        { label: columns.source },
        { label: columns.actions, actions: true },
      ]}
    >
      {rows.map((upstream) => (
        <tr key={upstream.id}>
          <Name>
            <span className="block truncate max-sm:whitespace-normal">{upstream.name}</span>
            <span className="block truncate font-mono text-xs font-normal text-muted max-sm:whitespace-normal">
              {upstream.base_url}
            </span>
          </Name>
          <Cell>
            <UpstreamState upstream={upstream} />
          </Cell>
          <Cell className="max-w-48 truncate">{upstream.models.join(", ") || words.allModels}</Cell>
          <Cell className="font-mono text-xs">
            {upstream.has_api_key ? words.keyEnding(upstream.key_last4) : words.noKey}
          </Cell>
          <Cell className="text-muted">{upstream.source === "site" ? words.onSite : upstream.place}</Cell>
          <Actions>
            {(upstream.source === "site" ? (["try", "edit", "delete"] as const) : (["try"] as const)).map((action) => (
              <Button
                key={action}
                variant="ghost"
                size="small"
                aria-label={strings.keys.actionOn(words.actions[action], upstream.name)}
                onClick={() => onAction(action, upstream)}
              >
                {words.actions[action]}
              </Button>
            ))}
          </Actions>
        </tr>
      ))}
    </Table>
  );
}
