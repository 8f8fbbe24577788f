"use client";

import { Trash2 } from "lucide-react";
import { useId, useMemo } from "react";
import { keepOnDevice } from "@/api/account-storage";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { IconButton } from "@/components/ui/icon-button";
import { Empty } from "@/components/ui/empty";
import * as strings from "@/strings";
import { formatInstant } from "@/time/local-time";
import { useNow } from "@/time/use-now";
import type { Entry } from "./conversation-store";

const words = strings.chat;

type Props = {
  accountId: string;
  entries: Entry[];
  openId: string;
  onShow: (id: string) => void;
  onRemove: (ids: string[]) => void;
  onClose: () => void;
};

export function HistoryDialog({ accountId, entries, openId, onShow, onRemove, onClose }: Props) {
  const now = useNow() ?? 0;
  return (
    <Dialog onClose={onClose} title={words.history} description={words.historyText}>
      {entries.length === 0 ? (
        <Empty>{words.historyEmpty}</Empty>
      ) : (
        <ul className="-mx-2 max-h-80 divide-y overflow-y-auto">
          {entries.map(({ id, title, at }) => (
            <li key={id} className="flex items-center gap-2 px-2 py-1">
              <button
                type="button"
                aria-current={id === openId || undefined}
                onClick={() => onShow(id)}
                className="min-w-0 flex-1 rounded-md px-2 py-1.5 text-left text-sm -outline-offset-2 hover:bg-surface aria-current:font-medium"
              >
                <span className="block truncate">{title}</span>
                <time dateTime={new Date(at).toISOString()} className="text-xs text-muted">
                  {formatInstant(new Date(at).toISOString(), now)}
                </time>
              </button>
              <IconButton icon={Trash2} label={words.deleteOne(title)} onClick={() => onRemove([id])} />
            </li>
          ))}
        </ul>
      )}
      <KeepSwitch accountId={accountId} />
      <div className="mt-5 flex justify-end gap-2">
        {entries.length > 1 && (
          <Button variant="danger" onClick={() => onRemove(entries.map(({ id }) => id))}>
            {words.deleteAll}
          </Button>
        )}
        <Button variant="secondary" onClick={onClose}>
          {strings.actions.close}
        </Button>
      </div>
    </Dialog>
  );
}

/** Off by default, because others may use this computer. */
function KeepSwitch({ accountId }: { accountId: string }) {
  const noteId = useId();
  const keep = useMemo(() => keepOnDevice(accountId), [accountId]);
  return (
    <div className="mt-5 border-t pt-4 text-sm">
      <label className="flex items-center gap-2 font-medium">
        <input
          type="checkbox"
          role="switch"
          checked={keep.useValue() !== null}
          onChange={(event) => keep.set(event.target.checked ? "yes" : null)}
          aria-describedby={noteId}
          className="size-4 accent-accent"
        />
        {words.keep}
      </label>
      <p id={noteId} className="mt-1 leading-6 text-muted">
        {words.keepText}
      </p>
    </div>
  );
}
