"use client";

import { useEffect, useRef } from "react";
import { SendAgain } from "@/components/send-again";
import * as strings from "@/strings";
import { Frame } from "./frame";
import { TextLink } from "./text-link";

const words = strings.mailbox;

/** Stands in the place of a form whose answer is in a mail. */
export function MailSent({ text, onSendAgain }: { text: string; onSendAgain: () => Promise<unknown> }) {
  const status = useRef<HTMLParagraphElement>(null);
  // The form that had the focus is gone; without this a keyboard would begin at the page's top.
  useEffect(() => status.current?.focus(), []);
  return (
    <Frame title={words.sentTitle}>
      <p ref={status} role="status" tabIndex={-1} className="leading-6 outline-none">
        {text}
      </p>
      <p className="text-sm text-muted">{words.notThere}</p>
      <SendAgain onSendAgain={onSendAgain} />
      <p className="text-sm">
        <TextLink href="/sign-in/">{words.backToSignIn}</TextLink>
      </p>
    </Frame>
  );
}
