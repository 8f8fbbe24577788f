"use client";

import { useSite } from "@/api/site";
import { useSignUp } from "@/api/entrance";
import { Notice } from "@/components/ui/notice";
import * as strings from "@/strings";
import { signUpSchema } from "./credentials";
import { CredentialsForm } from "./credentials-form";
import { Entrance } from "./entrance";

const words = strings.session;

export function SignUp() {
  const { data: site } = useSite();
  const signUp = useSignUp();
  const firstAccount = site?.has_operator === false;
  const closed = site?.sign_up === "closed" && !firstAccount;
  return (
    <Entrance
      title={words.signUpTitle}
      text={words.signUpText}
      otherwise={{ question: words.haveAccount, href: "/sign-in/", label: words.signIn }}
    >
      {firstAccount && <Notice>{words.firstAccount}</Notice>}
      {closed ? (
        <Notice tone="warn">{words.closed}</Notice>
      ) : (
        <CredentialsForm
          schema={signUpSchema}
          submitLabel={words.signUp}
          passwordHint={words.passwordHint}
          passwordKind="new-password"
          onSubmit={signUp.mutateAsync}
        />
      )}
    </Entrance>
  );
}
