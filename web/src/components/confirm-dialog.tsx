"use client";

import { useForm } from "react-hook-form";
import { showProblem } from "@/forms/show-problem";
import { DialogForm } from "@/components/dialog-form";
import { Dialog } from "@/components/ui/dialog";

type Props = {
  title: string;
  text: string;
  confirmLabel: string;
  danger?: boolean;
  /** Errors are shown in the dialog, which then stays open. */
  onConfirm: () => Promise<unknown>;
  onDone: () => void;
  onCancel: () => void;
};

/** Ask for confirmation before an action. */
export function ConfirmDialog({ title, text, confirmLabel, danger, onConfirm, onDone, onCancel }: Props) {
  const form = useForm();

  const submit = form.handleSubmit(async () => {
    try {
      await onConfirm();
      onDone();
    } catch (error) {
      showProblem(form, error);
    }
  });

  return (
    <Dialog onClose={onCancel} title={title} description={text}>
      <DialogForm
        danger={danger}
        onSubmit={submit}
        onCancel={onCancel}
        submitLabel={confirmLabel}
        pending={form.formState.isSubmitting}
        error={form.formState.errors.root?.server?.message}
      />
    </Dialog>
  );
}
