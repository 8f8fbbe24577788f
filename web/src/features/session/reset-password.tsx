"use client";

import { zodResolver } from "@hookform/resolvers/zod";
import { useForm } from "react-hook-form";
import { useResetPassword } from "@/api/mailbox";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { Notice } from "@/components/ui/notice";
import { useFailure } from "@/forms/use-failure";
import * as strings from "@/strings";
import { newPasswordSchema } from "./credentials";
import { FormFailure } from "./form-failure";
import { Frame } from "./frame";
import { PasswordInput } from "./password-input";
import { TextLink } from "./text-link";
import { useFragment } from "./use-fragment";

const words = strings.mailbox;

export function ResetPassword() {
  const token = useFragment("token");
  const reset = useResetPassword();
  return (
    <Frame title={words.resetTitle} text={words.resetText}>
      {token === "" && <Notice tone="warn">{words.noToken}</Notice>}
      {reset.isSuccess ? (
        <p role="status">{words.resetDone}</p>
      ) : (
        token && <PasswordForm onSubmit={(password) => reset.mutateAsync({ token, password })} />
      )}
      <p className="text-sm">
        <TextLink href="/sign-in/">{words.backToSignIn}</TextLink>
      </p>
    </Frame>
  );
}

function PasswordForm({ onSubmit }: { onSubmit: (password: string) => Promise<unknown> }) {
  const form = useForm({ resolver: zodResolver(newPasswordSchema), defaultValues: { password: "" } });
  const { errors, isSubmitting } = form.formState;
  const failure = useFailure(form);

  const submit = form.handleSubmit(({ password }) => onSubmit(password).catch(failure.report));

  return (
    <form noValidate method="post" onSubmit={submit} className="space-y-5">
      <FormFailure message={failure.message} retryAt={failure.retryAt} />
      <Field
        label={words.newPassword}
        hint={strings.session.passwordHint}
        error={errors.password?.message}
      >
        {(control) => (
          <PasswordInput {...control} {...form.register("password")} autoComplete="new-password" />
        )}
      </Field>
      <Button type="submit" className="w-full" pending={isSubmitting}>
        {words.resetSubmit}
      </Button>
    </form>
  );
}
