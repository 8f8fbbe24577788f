"use client";

import { zodResolver } from "@hookform/resolvers/zod";
import type { ReactNode } from "react";
import { useForm } from "react-hook-form";
import { FormFailure } from "@/components/form-failure";
import { PasswordInput } from "@/components/password-input";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { newPasswordSchema } from "@/forms/credentials";
import { useFailure } from "@/forms/use-failure";
import * as strings from "@/strings";

type Props = {
  submitLabel: string;
  onSubmit: (password: string) => Promise<unknown>;
  /** What else there is before the button. */
  children?: ReactNode;
};

export function NewPasswordForm({ submitLabel, onSubmit, children }: Props) {
  const form = useForm({ resolver: zodResolver(newPasswordSchema), defaultValues: { password: "" } });
  const { errors, isSubmitting } = form.formState;
  const failure = useFailure(form);

  const submit = form.handleSubmit(({ password }) => onSubmit(password).catch(failure.report));

  return (
    <form noValidate method="post" onSubmit={submit} className="space-y-5">
      <FormFailure message={failure.message} retryAt={failure.retryAt} />
      <Field
        label={strings.mailbox.newPassword}
        hint={strings.session.passwordHint}
        error={errors.password?.message}
      >
        {(control) => (
          <PasswordInput {...control} {...form.register("password")} autoComplete="new-password" />
        )}
      </Field>
      {children}
      <Button type="submit" className="w-full" pending={isSubmitting}>
        {submitLabel}
      </Button>
    </form>
  );
}
