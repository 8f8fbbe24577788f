"use client";

import { zodResolver } from "@hookform/resolvers/zod";
import { useState } from "react";
import { useForm } from "react-hook-form";
import { useAskReset } from "@/api/auth";
import { FormFailure } from "@/components/form-failure";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { addressSchema } from "@/forms/credentials";
import { useFailure } from "@/forms/use-failure";
import * as strings from "@/strings";
import { Frame } from "./frame";
import { MailSent } from "./mail-sent";
import { TextLink } from "./text-link";

const words = strings.mailbox;

export function ForgotPassword() {
  const ask = useAskReset();
  const [mailedTo, setMailedTo] = useState<string>();
  const form = useForm({ resolver: zodResolver(addressSchema), defaultValues: { email: "" } });
  const { errors, isSubmitting } = form.formState;
  const failure = useFailure(form);

  const submit = form.handleSubmit(({ email }) =>
    ask.mutateAsync(email).then(() => setMailedTo(email), failure.report),
  );

  if (mailedTo) {
    return <MailSent text={words.resetSent(mailedTo)} onSendAgain={() => ask.mutateAsync(mailedTo)} />;
  }
  return (
    <Frame title={words.forgotTitle} text={words.forgotText}>
      <form noValidate method="post" onSubmit={submit} className="space-y-5">
        <FormFailure message={failure.message} retryAt={failure.retryAt} />
        <Field label={strings.session.email} error={errors.email?.message}>
          {(control) => (
            <Input {...control} {...form.register("email")} type="email" autoComplete="email" inputMode="email" />
          )}
        </Field>
        <Button type="submit" className="w-full" pending={isSubmitting}>
          {words.forgotSubmit}
        </Button>
      </form>
      <p className="text-sm">
        <TextLink href="/sign-in/">{words.backToSignIn}</TextLink>
      </p>
    </Frame>
  );
}
