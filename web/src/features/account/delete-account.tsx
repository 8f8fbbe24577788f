"use client";

import { zodResolver } from "@hookform/resolvers/zod";
import { useState } from "react";
import { useForm } from "react-hook-form";
import { useDeleteAccount } from "@/api/account";
import { forgetAccount } from "@/api/account-storage";
import { leaveSite } from "@/api/session";
import { DialogForm } from "@/components/dialog-form";
import { PasswordInput } from "@/components/password-input";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { noPasswordSchema, ownPasswordSchema } from "@/forms/credentials";
import { showProblem } from "@/forms/show-problem";
import * as strings from "@/strings";

const words = strings.account;

type Props = { accountId: string; hasPassword: boolean };

export function DeleteAccount(props: Props) {
  const [asking, setAsking] = useState(false);
  return (
    <>
      <Button variant="danger" onClick={() => setAsking(true)}>
        {words.delete}
      </Button>
      {asking && <DeletionDialog {...props} onClose={() => setAsking(false)} />}
    </>
  );
}

function DeletionDialog({ accountId, hasPassword, onClose }: Props & { onClose: () => void }) {
  const remove = useDeleteAccount();
  const form = useForm({
    resolver: zodResolver(hasPassword ? ownPasswordSchema : noPasswordSchema),
    defaultValues: { password: "" },
  });
  const { errors, isSubmitting } = form.formState;

  const submit = form.handleSubmit(async ({ password }) => {
    try {
      await remove.mutateAsync({ password: hasPassword ? password : null });
      forgetAccount(accountId);
      leaveSite();
    } catch (error) {
      showProblem(form, error);
    }
  });

  return (
    <Dialog onClose={onClose} title={words.deleteAsk} description={words.deleteAskText}>
      <DialogForm
        danger
        onSubmit={submit}
        onCancel={onClose}
        submitLabel={words.deleteForGood}
        pending={isSubmitting}
        error={errors.root?.server?.message}
      >
        {hasPassword ? (
          <Field label={words.password} error={errors.password?.message}>
            {(control) => (
              <PasswordInput
                {...control}
                {...form.register("password")}
                autoComplete="current-password"
              />
            )}
          </Field>
        ) : (
          <p className="text-sm text-muted">{words.deleteFresh}</p>
        )}
      </DialogForm>
    </Dialog>
  );
}
