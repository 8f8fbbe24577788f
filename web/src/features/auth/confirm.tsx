"use client";

import { useRouter } from "next/navigation";
import { useState } from "react";
import { useConfirm, useLinkPreview } from "@/api/auth";
import { messageOf } from "@/api/problem";
import type { MailLink } from "@/api/types";
import { useFragment } from "@/browser/use-fragment";
import { Button } from "@/components/ui/button";
import { Notice } from "@/components/ui/notice";
import { Skeleton } from "@/components/ui/skeleton";
import * as strings from "@/strings";
import { Frame } from "./frame";
import { NewPasswordForm } from "./new-password-form";
import { TextLink } from "./text-link";
import { useTerms } from "./use-terms";

const words = strings.mailbox;

/** Confirm on a press, not on the visit, because mail scanners open every link. */
export function Confirm() {
  const token = useFragment("token");
  const { data: link, error, isLoading } = useLinkPreview(token);
  const [doneWith, setDoneWith] = useState<string>();
  const done = !!token && doneWith === token;
  const makesAccount = link?.makes === "account";
  return (
    <Frame
      title={makesAccount ? words.choosePasswordTitle : words.confirmTitle}
      text={makesAccount ? words.choosePasswordText(link.email) : words.confirmText}
    >
      {token === "" && <Notice tone="warn">{words.noToken}</Notice>}
      {error && <Notice tone="danger" alert>{messageOf(error)}</Notice>}
      {isLoading && <Skeleton className="h-32 w-full rounded-xl" />}
      {done && link && <p role="status">{words.confirmedAddress(link.email)}</p>}
      {!done && link && token && (
        <Decision key={token} link={link} token={token} onDone={() => setDoneWith(token)} />
      )}
      <p className="text-sm">
        {done ? (
          <TextLink href="/keys/">{words.openKeys}</TextLink>
        ) : (
          <TextLink href="/sign-in/">{words.backToSignIn}</TextLink>
        )}
        {error && (
          <>
            {" · "}
            <TextLink href="/forgot-password/">{strings.session.forgot}</TextLink>
          </>
        )}
      </p>
    </Frame>
  );
}

type Props = { link: MailLink; token: string; onDone: () => void };

function Decision({ link, token, onDone }: Props) {
  const confirm = useConfirm();
  const router = useRouter();
  const terms = useTerms();
  const makesAccount = link.makes === "account";

  async function choose(password: string) {
    if (makesAccount && !terms.check()) return;
    const { accepted_terms } = terms;
    await confirm.mutateAsync({ token, password, accepted_terms });
    if (makesAccount) router.replace("/keys/");
    else onDone();
  }

  if (link.needs_password) {
    return (
      <>
        {link.makes === "address" && (
          <Notice tone="warn" title={words.notSignedIn}>
            {words.notSignedInText(link.email)}
          </Notice>
        )}
        <NewPasswordForm
          submitLabel={makesAccount ? strings.session.signUp : words.claimSubmit}
          onSubmit={choose}
        >
          {makesAccount && terms.field}
        </NewPasswordForm>
      </>
    );
  }
  return (
    <>
      {confirm.isError && (
        <Notice tone="danger" alert>
          {messageOf(confirm.error)}
        </Notice>
      )}
      <Button
        className="w-full"
        pending={confirm.isPending}
        onClick={() => confirm.mutate({ token }, { onSuccess: onDone })}
      >
        {words.confirmSubmit}
      </Button>
    </>
  );
}
