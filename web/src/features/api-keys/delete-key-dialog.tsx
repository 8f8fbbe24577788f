"use client";

import { useDeleteApiKey } from "@/api/api-keys";
import type { ApiKey } from "@/api/types";
import { ConfirmDialog } from "@/components/confirm-dialog";
import * as strings from "@/strings";
import { tellOutcome } from "./tell-outcome";

const words = strings.keys;

type Props = { apiKey: ApiKey; onClose: () => void; onDeleted: () => void };

export function DeleteKeyDialog({ apiKey, onClose, onDeleted }: Props) {
  const remove = useDeleteApiKey();
  return (
    <ConfirmDialog
      danger
      title={words.deleteTitle(apiKey.name)}
      text={words.deleteText}
      confirmLabel={words.delete}
      onConfirm={async () => {
        const removal = remove.mutateAsync({ id: apiKey.id }).then(onDeleted);
        tellOutcome(removal, apiKey.name, words.deleted);
      }}
      onDone={onClose}
      onCancel={onClose}
    />
  );
}
