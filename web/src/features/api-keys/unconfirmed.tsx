"use client";

import { useSendConfirmation } from "@/api/auth";
import { SendAgain } from "@/components/send-again";
import { Notice } from "@/components/ui/notice";
import * as strings from "@/strings";

const words = strings.mailbox;

/** In the place of what only a confirmed address may do. */
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
