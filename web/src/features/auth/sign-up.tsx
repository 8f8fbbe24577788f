"use client";

import { useState } from "react";
import { useSignUp, type Credentials, type NewAccount } from "@/api/auth";
import { useSite } from "@/api/site";
import { useInvitation } from "@/browser/use-invitation";
import { Notice } from "@/components/ui/notice";
import { signUpByMailSchema, signUpSchema } from "@/forms/credentials";
import * as strings from "@/strings";
import { CredentialsForm } from "./credentials-form";
import { Entrance } from "./entrance";
import { MailSent } from "./mail-sent";
import { OtherSignIn } from "./other-sign-in";
import { useTerms } from "./use-terms";

const words = strings.session;

export function SignUp() {
  const { data: site } = useSite();
  const signUp = useSignUp();
  const [mailed, setMailed] = useState<NewAccount>();
  const invitation = useInvitation();
  const terms = useTerms();
  const closed = site?.sign_up === "closed";
  const uninvited = site?.sign_up === "invite" && !invitation;

  async function submit({ email, password }: Credentials) {
    if (!site?.mail && !terms.check()) return;
    // The page behind the e-mailed link asks for the password, and to accept the terms.
    const { accepted_terms } = terms;
    const wanted = site?.mail
      ? { email, invitation }
      : { email, password, invitation, accepted_terms };
    const done = await signUp.mutateAsync(wanted);
    if ("mailed_to" in done) setMailed(wanted);
  }

  if (mailed) {
    return (
      <MailSent
        text={strings.mailbox.signUpSent(mailed.email)}
        onSendAgain={() => signUp.mutateAsync(mailed)}
      />
    );
  }
  return (
    <Entrance
      title={words.signUpTitle}
      text={site?.mail ? words.signUpByMailText : words.signUpText}
      otherwise={{ question: words.haveAccount, href: "/sign-in/", label: words.signIn }}
    >
      {site?.first_sign_up_operates && <Notice>{words.firstAccount}</Notice>}
      {invitation && site?.sign_up === "invite" && <Notice>{words.invited}</Notice>}
      {closed || uninvited ? (
        <Notice tone="warn">{closed ? words.closed : words.inviteOnly}</Notice>
      ) : (
        <>
          <CredentialsForm
            schema={site?.mail ? signUpByMailSchema : signUpSchema}
            submitLabel={site?.mail ? words.signUpByMail : words.signUp}
            passwordHint={words.passwordHint}
            passwordKind="new-password"
            passwordClass="mail:hidden"
            onSubmit={submit}
          >
            {(!site?.mail || site.sign_in_with) && terms.field}
          </CredentialsForm>
          <OtherSignIn
            invitation={invitation}
            accepted_terms={terms.accepted_terms}
            check={terms.check}
          />
        </>
      )}
    </Entrance>
  );
}
