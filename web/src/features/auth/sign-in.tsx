"use client";

import { useSignIn } from "@/api/auth";
import { useSite } from "@/api/site";
import { signInSchema } from "@/forms/credentials";
import * as strings from "@/strings";
import { CredentialsForm } from "./credentials-form";
import { Entrance } from "./entrance";
import { IdentityProblem } from "./identity-problem";
import { OtherSignIn } from "./other-sign-in";
import { TextLink } from "./text-link";

const words = strings.session;

export function SignIn() {
  const signIn = useSignIn();
  const { data: site } = useSite();
  return (
    <Entrance
      title={words.signInTitle}
      text={words.signInText}
      otherwise={{ question: words.noAccount, href: "/sign-up/", label: words.signUp }}
    >
      <IdentityProblem />
      <CredentialsForm
        schema={signInSchema}
        submitLabel={words.signIn}
        passwordKind="current-password"
        onSubmit={signIn.mutateAsync}
      />
      {site?.mail && (
        <p className="text-sm">
          <TextLink href="/forgot-password/">{words.forgot}</TextLink>
        </p>
      )}
      <OtherSignIn />
    </Entrance>
  );
}
