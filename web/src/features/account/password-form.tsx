"use client";

import { zodResolver } from "@hookform/resolvers/zod";
import { useForm } from "react-hook-form";
import { useChangePassword, type PasswordChange } from "@/api/account";
import { FormFailure } from "@/components/form-failure";
import { PasswordInput } from "@/components/password-input";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { toast } from "@/components/ui/toast";
import { passwordChangeSchema } from "@/forms/credentials";
import { useFailure } from "@/forms/use-failure";
import * as strings from "@/strings";

const words = strings.account;
const empty: PasswordChange = { current_password: "", new_password: "" };

/** Includes the address in a hidden field, so that password managers know the account. */
export function PasswordForm({ email }: { email: string }) {
  const change = useChangePassword();
  const form = useForm<PasswordChange>({
    resolver: zodResolver(passwordChangeSchema),
    defaultValues: empty,
  });
  const { errors, isSubmitting } = form.formState;
  const failure = useFailure(form);

  const submit = form.handleSubmit(async (values) => {
    try {
      await change.mutateAsync(values);
      form.reset(empty);
      toast(words.changed);
    } catch (error) {
      failure.report(error);
    }
  });

  return (
    <form noValidate onSubmit={submit} className="max-w-sm space-y-5">
      <FormFailure message={failure.message} retryAt={failure.retryAt} />
      <input type="email" autoComplete="username" value={email} readOnly hidden />
      <Field label={words.current} error={errors.current_password?.message}>
        {(control) => (
          <PasswordInput
            {...control}
            {...form.register("current_password")}
            autoComplete="current-password"
          />
        )}
      </Field>
      <Field
        label={words.new}
        hint={strings.session.passwordHint}
        error={errors.new_password?.message}
      >
        {(control) => (
          <PasswordInput {...control} {...form.register("new_password")} autoComplete="new-password" />
        )}
      </Field>
      <Button type="submit" pending={isSubmitting}>
        {words.change}
      </Button>
    </form>
  );
}
