"use client";

import { useSendConfirmation } from "@/api/mailbox";
import { Notice } from "@/components/ui/notice";
import * as strings from "@/strings";
import { SendAgain } from "./send-again";

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
