"use client";

import { useSignIn } from "@/api/entrance";
import * as strings from "@/strings";
import { signInSchema } from "./credentials";
import { CredentialsForm } from "./credentials-form";
import { Entrance } from "./entrance";

const words = strings.session;

export function SignIn() {
  const signIn = useSignIn();
  return (
    <Entrance
      title={words.signInTitle}
      text={words.signInText}
      otherwise={{ question: words.noAccount, href: "/sign-up/", label: words.signUp }}
    >
      <CredentialsForm
        schema={signInSchema}
        submitLabel={words.signIn}
        passwordKind="current-password"
        onSubmit={signIn.mutateAsync}
      />
    </Entrance>
  );
}
