"use client";

import { useDeleteApiKey } from "@/api/api-keys";
import type { ApiKey } from "@/api/types";
import { ConfirmDialog } from "@/components/confirm-dialog";
import { toast } from "@/components/ui/toast";
import * as strings from "@/strings";

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
      onConfirm={() => remove.mutateAsync({ id: apiKey.id })}
      onCancel={onClose}
      onDone={() => {
        toast(words.deleted);
        onDeleted();
      }}
    />
  );
}
