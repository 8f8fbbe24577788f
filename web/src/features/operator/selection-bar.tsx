"use client";

import { useState, type ReactNode } from "react";
import type { BatchOutcome } from "@/api/types";
import { ConfirmDialog } from "@/components/confirm-dialog";
import { Button } from "@/components/ui/button";
import { Notice } from "@/components/ui/notice";
import { toast } from "@/components/ui/toast";
import * as strings from "@/strings";
import type { Item, useSelection } from "./use-selection";

const words = strings.operator.selection;

type Action<Name extends string> = {
  name: Name;
  label: string;
  danger?: boolean;
  title: (count: number) => string;
  text: string;
  done: (count: number) => string;
};

type Act = () => Promise<BatchOutcome>;
type Asked = { title: string; ids: string[]; run: (act: Act) => Promise<void>; close: () => void };

type Props<Name extends string> = {
  selection: ReturnType<typeof useSelection>;
  actions: Action<Name>[];
  onAct: (action: Name, ids: string[]) => Promise<BatchOutcome>;
  /** The dialog of an action that needs more than a confirmation; it runs the action itself. */
  dialog?: (action: Name, asked: Asked) => ReactNode;
};

/** Act on all selected rows after one confirmation. What could not be changed stays selected. */
export function SelectionBar<Name extends string>({ selection, actions, onAct, dialog }: Props<Name>) {
  const [asked, setAsked] = useState<Action<Name>>();
  const [failures, setFailures] = useState<{ name: string; detail: string }[]>([]);
  const { items } = selection;
  const close = () => setAsked(undefined);

  async function run(action: Action<Name>, act: Act) {
    const { done, failed } = await act();
    if (done > 0) toast(action.done(done));
    setFailures(failed.map(({ id, detail }) => ({ name: nameOf(id, items), detail })));
    selection.keep(failed.map(({ id }) => id));
    close();
  }

  const ids = items.map(({ id }) => id);
  const custom =
    asked && dialog?.(asked.name, { title: asked.title(ids.length), ids, run: (act) => run(asked, act), close });
  return (
    <>
      {failures.length > 0 && (
        <div className="mt-4">
          <Notice
            tone="danger"
            alert
            title={words.failed(failures.length)}
            action={
              <Button variant="secondary" size="small" onClick={() => setFailures([])}>
                {words.dismiss}
              </Button>
            }
          >
            <ul className="list-disc pl-4">
              {failures.map(({ name, detail }) => (
                <li key={name}>{`${name}: ${detail}`}</li>
              ))}
            </ul>
          </Notice>
        </div>
      )}
      {items.length > 0 && (
        <div
          role="region"
          aria-label={words.label}
          className="sticky bottom-3 z-10 mt-4 flex flex-wrap items-center gap-2 rounded-xl border bg-raised p-2 pl-4 shadow-lg"
        >
          <p className="mr-auto text-sm font-medium tabular-nums">{words.count(items.length)}</p>
          {actions.map((action) => (
            <Button key={action.name} variant="secondary" size="small" onClick={() => setAsked(action)}>
              {action.label}
            </Button>
          ))}
          <Button variant="ghost" size="small" onClick={() => selection.keep([])}>
            {words.clear}
          </Button>
        </div>
      )}
      {custom}
      {asked && !custom && (
        <ConfirmDialog
          title={asked.title(items.length)}
          text={asked.text}
          danger={asked.danger}
          confirmLabel={asked.label}
          onConfirm={() => run(asked, () => onAct(asked.name, ids))}
          onDone={close}
          onCancel={close}
        />
      )}
    </>
  );
}

function nameOf(id: string, items: Item[]): string {
  return items.find((item) => item.id === id)?.name ?? id;
}
