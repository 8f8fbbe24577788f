"use client";

import { useForm } from "react-hook-form";
import { useDeleteApiKey } from "@/api/api-keys";
import { showProblem } from "@/api/problem";
import type { ApiKey } from "@/api/types";
import { Dialog } from "@/components/ui/dialog";
import { toast } from "@/components/ui/toast";
import * as strings from "@/strings";
import { DialogForm } from "./dialog-form";

const words = strings.keys;

type Props = { apiKey: ApiKey; onClose: () => void; onDeleted: () => void };

export function DeleteKeyDialog({ apiKey, onClose, onDeleted }: Props) {
  const remove = useDeleteApiKey();
  const form = useForm();

  const submit = form.handleSubmit(async () => {
    try {
      await remove.mutateAsync({ id: apiKey.id });
      toast(words.deleted);
      onDeleted();
    } catch (error) {
      showProblem(form, error);
    }
  });

  return (
    <Dialog onClose={onClose} title={words.deleteTitle(apiKey.name)} description={words.deleteText}>
      <DialogForm
        danger
        onSubmit={submit}
        onCancel={onClose}
        submitLabel={words.delete}
        pending={form.formState.isSubmitting}
        error={form.formState.errors.root?.server?.message}
      />
    </Dialog>
  );
}
