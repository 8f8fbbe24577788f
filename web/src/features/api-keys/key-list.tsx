"use client";

import { useState } from "react";
import { useChangeApiKey } from "@/api/api-keys";
import type { ApiKey, RotatedApiKey, UsagePlan } from "@/api/types";
import * as strings from "@/strings";
import { ConnectDialog } from "./connect-dialog";
import { DeleteKeyDialog } from "./delete-key-dialog";
import { EditKeyDialog } from "./edit-key-dialog";
import { KeyCard } from "./key-card";
import { RotateKeyDialog } from "./rotate-key-dialog";
import { tellOutcome } from "./tell-outcome";

type Props = {
  keys: ApiKey[];
  plans: UsagePlan[];
  /** Requests per day across all keys. Null: no limit. */
  ceiling: number | null;
  onRotated: (rotated: RotatedApiKey) => void;
  onDeleted: (id: string) => void;
};

export type KeyAction = "connect" | "edit" | "rotate" | "delete";

export function KeyList({ keys, plans, ceiling, onRotated, onDeleted }: Props) {
  const [asked, setAsked] = useState<{ action: KeyAction; apiKey: ApiKey }>();
  const change = useChangeApiKey();
  const close = () => setAsked(undefined);
  const pause = ({ id, name }: ApiKey, paused: boolean) =>
    tellOutcome(change.mutateAsync({ id, paused }), name, paused ? strings.keys.pausedNow : strings.keys.resumed);

  // The key leaves the list before the server has answered, but its dialog stays.
  if (keys.length === 0 && !asked) return null;
  return (
    <section aria-labelledby="key-list-title">
      <h2 id="key-list-title" className="text-lg font-semibold tracking-tight">
        {strings.keys.listTitle}
      </h2>
      {ceiling !== null && ceiling > 0 && <p className="mt-1 text-sm text-muted">{strings.keys.ceiling(ceiling)}</p>}
      <ul className="mt-4 space-y-4">
        {keys.map((apiKey) => (
          <KeyCard
            key={apiKey.id}
            apiKey={apiKey}
            plan={plans.find(({ id }) => id === apiKey.usage_plan_id)}
            next={plans.find(({ id }) => id === apiKey.next_usage_plan_id)}
            onAction={(action) => setAsked({ action, apiKey })}
            onPause={(paused) => pause(apiKey, paused)}
          />
        ))}
      </ul>
      {asked?.action === "connect" && <ConnectDialog apiKey={asked.apiKey} onClose={close} />}
      {asked?.action === "edit" && (
        <EditKeyDialog apiKey={asked.apiKey} plans={plans} onClose={close} />
      )}
      {asked?.action === "rotate" && (
        <RotateKeyDialog
          apiKey={asked.apiKey}
          onClose={close}
          onRotated={(rotated) => {
            close();
            onRotated(rotated);
          }}
        />
      )}
      {asked?.action === "delete" && (
        <DeleteKeyDialog
          apiKey={asked.apiKey}
          onClose={close}
          onDeleted={() => onDeleted(asked.apiKey.id)}
        />
      )}
    </section>
  );
}
