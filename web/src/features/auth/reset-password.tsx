"use client";

import { useResetPassword } from "@/api/auth";
import { useFragment } from "@/browser/use-fragment";
import { Notice } from "@/components/ui/notice";
import * as strings from "@/strings";
import { Frame } from "./frame";
import { NewPasswordForm } from "./new-password-form";
import { TextLink } from "./text-link";

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
        token && (
          <NewPasswordForm
            submitLabel={words.resetSubmit}
            onSubmit={(password) => reset.mutateAsync({ token, password })}
          />
        )
      )}
      <p className="text-sm">
        <TextLink href="/sign-in/">{words.backToSignIn}</TextLink>
      </p>
    </Frame>
  );
}
