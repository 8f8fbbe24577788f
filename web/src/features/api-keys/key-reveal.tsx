"use client";

import { useEffect, useRef, useState } from "react";
import { useApiKeys } from "@/api/api-keys";
import { Button } from "@/components/ui/button";
import { CopyButton } from "@/components/ui/copy-button";
import { Notice } from "@/components/ui/notice";
import * as strings from "@/strings";
import { formatInstant } from "@/time/local-time";
import { serverNow } from "@/time/clock";
import { useLeaveWarning } from "./use-leave-warning";
import { KeyCheck } from "./key-check";
import { KeySnippets } from "./key-snippets";

export type Revealed = {
  id: string;
  key: string;
  name: string;
  usagePlanId: string;
  /** Set after a rotation: until when the old key works, if at all. */
  rotation?: { previousValidUntil: string | null };
};

type Props = {
  revealed: Revealed;
  onDone: () => void;
  /** Follow a link on the site. */
  onLeave: (href: string) => void;
};

const words = strings.keys;

/** Show a key once. The secret is held only in the state of the surrounding page. */
export function KeyReveal({ revealed, onDone, onLeave }: Props) {
  const [copied, setCopied] = useState(false);
  const [asking, setAsking] = useState(false);
  const { data: keys } = useApiKeys();
  const activating = keys?.find(({ id }) => id === revealed.id)?.activating;
  const heading = useRef<HTMLHeadingElement>(null);
  const { key, name, rotation } = revealed;
  const onCopied = () => setCopied(true);

  useEffect(() => heading.current?.focus(), []);

  useLeaveWarning(copied, onLeave);

  return (
    <section
      aria-labelledby="reveal-title"
      onCopy={onCopied}
      className="overflow-hidden rounded-xl border border-accent/50"
    >
      <div className="space-y-4 bg-accent-soft p-5 sm:p-6">
        <div>
          <h2
            id="reveal-title"
            ref={heading}
            tabIndex={-1}
            className="text-lg font-semibold tracking-tight outline-none"
          >
            {rotation ? words.rotated(name) : words.created(name)}
          </h2>
          <p className="mt-1 text-sm">
            {words.once} {rotation && afterRotation(rotation.previousValidUntil)}
          </p>
        </div>
        <div className="flex flex-wrap items-center gap-3 rounded-lg border bg-raised p-3">
          <code aria-label={words.keyLabel} className="min-w-0 flex-1 basis-64 font-mono text-sm break-all select-all">
            {key}
          </code>
          <CopyButton variant="primary" text={key} label={words.copyKey} onCopied={onCopied} />
        </div>
      </div>
      <KeySnippets revealed={revealed} onCopied={onCopied} />
      <div className="space-y-5 border-t p-5 sm:p-6">
        {activating && <Notice title={words.activatingTitle}>{words.activatingText}</Notice>}
        <KeyCheck apiKey={key} />
        {asking ? (
          <Notice
            tone="warn"
            alert
            action={
              <>
                <Button variant="danger" size="small" onClick={onDone}>
                  {words.closeAnyway}
                </Button>
                <Button variant="secondary" size="small" onClick={() => setAsking(false)}>
                  {strings.actions.cancel}
                </Button>
              </>
            }
          >
            {words.confirmDone}
          </Notice>
        ) : (
          <Button variant="secondary" onClick={() => (copied ? onDone() : setAsking(true))}>
            {words.done}
          </Button>
        )}
      </div>
    </section>
  );
}

function afterRotation(previousValidUntil: string | null): string {
  return previousValidUntil
    ? words.rotatedGrace(formatInstant(previousValidUntil, serverNow()))
    : words.rotatedNow;
}
