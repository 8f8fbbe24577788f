"use client";

import { useEffect, useRef } from "react";
import { SendAgain } from "@/components/send-again";
import * as strings from "@/strings";
import { Frame } from "./frame";
import { TextLink } from "./text-link";

const words = strings.mailbox;

/** Replaces a form whose result arrives by e-mail. */
export function MailSent({ text, onSendAgain }: { text: string; onSendAgain: () => Promise<unknown> }) {
  const status = useRef<HTMLParagraphElement>(null);
  // The focused form is gone. Without this, keyboard users would restart at the top of the page.
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
