"use client";

import { useSendConfirmation } from "@/api/auth";
import { SendAgain } from "@/components/send-again";
import { Notice } from "@/components/ui/notice";
import * as strings from "@/strings";

const words = strings.mailbox;

/** Shown instead of features that need a confirmed address. */
export function Unconfirmed({ email }: { email: string }) {
  const send = useSendConfirmation();
  return (
    <Notice
      tone="warn"
      title={words.unconfirmedTitle}
      action={<SendAgain onSendAgain={() => send.mutateAsync()} />}
    >
      {words.unconfirmedText(email)}
    </Notice>
  );
}
