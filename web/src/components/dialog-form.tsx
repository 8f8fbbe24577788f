import type { FormEventHandler, ReactNode } from "react";
import { Button } from "@/components/ui/button";
import { Notice } from "@/components/ui/notice";
import * as strings from "@/strings";

type Props = {
  onSubmit: FormEventHandler<HTMLFormElement>;
  onCancel: () => void;
  submitLabel: string;
  danger?: boolean;
  pending?: boolean;
  error?: string;
  children?: ReactNode;
};

export function DialogForm({ onSubmit, onCancel, submitLabel, danger, pending, error, children }: Props) {
  return (
    <form noValidate onSubmit={onSubmit} className="space-y-5">
      {error && <Notice tone="danger" alert>{error}</Notice>}
      {children}
      {/* Keep the buttons visible when the fields are taller than the window. */}
      <div className="sticky bottom-0 -mx-6 -mb-6 flex justify-end gap-2 bg-raised px-6 pt-3 pb-6">
        <Button variant="secondary" onClick={onCancel}>
          {strings.actions.cancel}
        </Button>
        <Button type="submit" variant={danger ? "danger" : "primary"} pending={pending}>
          {submitLabel}
        </Button>
      </div>
    </form>
  );
}
