"use client";

import { zodResolver } from "@hookform/resolvers/zod";
import type { ReactNode } from "react";
import { useForm } from "react-hook-form";
import type { Credentials } from "@/api/auth";
import { FormFailure } from "@/components/form-failure";
import { PasswordInput } from "@/components/password-input";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import type { signInSchema, signUpByMailSchema, signUpSchema } from "@/forms/credentials";
import { useFailure } from "@/forms/use-failure";
import * as strings from "@/strings";

type Props = {
  schema: typeof signInSchema | typeof signUpSchema | typeof signUpByMailSchema;
  submitLabel: string;
  passwordHint?: string;
  passwordKind: "current-password" | "new-password";
  /** Class names of the password field, which is not always shown. */
  passwordClass?: string;
  /** What else there is before the button. */
  children?: ReactNode;
  onSubmit: (credentials: Credentials) => Promise<unknown>;
};

export function CredentialsForm({
  schema,
  submitLabel,
  passwordHint,
  passwordKind,
  passwordClass,
  children,
  onSubmit,
}: Props) {
  const form = useForm<Credentials>({
    resolver: zodResolver(schema),
    defaultValues: { email: "", password: "" },
  });
  const { errors, isSubmitting } = form.formState;
  const failure = useFailure(form);

  const submit = form.handleSubmit((credentials) => onSubmit(credentials).catch(failure.report));

  return (
    <form noValidate method="post" onSubmit={submit} className="space-y-5">
      <FormFailure message={failure.message} retryAt={failure.retryAt} />
      <Field label={strings.session.email} error={errors.email?.message}>
        {(control) => (
          <Input {...control} {...form.register("email")} type="email" autoComplete="email" inputMode="email" />
        )}
      </Field>
      <Field
        label={strings.session.password}
        hint={passwordHint}
        error={errors.password?.message}
        className={passwordClass}
      >
        {(control) => (
          <PasswordInput {...control} {...form.register("password")} autoComplete={passwordKind} />
        )}
      </Field>
      {children}
      <Button type="submit" className="w-full" pending={isSubmitting}>
        {submitLabel}
      </Button>
    </form>
  );
}
