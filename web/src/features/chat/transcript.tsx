"use client";

import { RotateCcw } from "lucide-react";
import { Button } from "@/components/ui/button";
import { CopyButton } from "@/components/ui/copy-button";
import * as strings from "@/strings";
import type { Message } from "./conversation-store";
import { Markdown } from "./markdown";
import { useFollowEnd } from "./use-follow-end";

const words = strings.chat;

type Props = {
  messages: Message[];
  /** The answer being written; null when none is. */
  partial: string | null;
  onRegenerate?: () => void;
};

export function Transcript({ messages, partial, onRegenerate }: Props) {
  useFollowEnd();

  return (
    <section aria-label={words.transcript} aria-live="off" className="flex-1 space-y-8 py-4">
      {messages.map((message, index) =>
        message.role === "user" ? (
          <UserMessage key={index} content={message.content} />
        ) : (
          <AssistantMessage
            key={index}
            message={message}
            onRegenerate={
              index === messages.length - 1 && partial === null ? onRegenerate : undefined
            }
          />
        ),
      )}
      {partial !== null && (
        <article aria-label={words.assistant} aria-busy>
          {partial ? <Markdown text={partial} /> : <Waiting />}
        </article>
      )}
    </section>
  );
}

function UserMessage({ content }: { content: string }) {
  return (
    <article aria-label={words.you} className="flex justify-end">
      <p className="max-w-[85%] rounded-2xl rounded-br-md bg-track/60 px-4 py-2.5 leading-7 break-words whitespace-pre-wrap">
        {content}
      </p>
    </article>
  );
}

type AnswerProps = { message: Message; onRegenerate?: () => void };

function AssistantMessage({ message: { content, cut }, onRegenerate }: AnswerProps) {
  return (
    <article aria-label={words.assistant}>
      <Markdown text={content} />
      {cut && (
        <p className="mt-3 text-sm text-muted">
          {cut === "stopped" ? words.stopped : words.cut}
        </p>
      )}
      <div className="mt-2 -ml-2 flex">
        <CopyButton compact variant="ghost" text={content} label={words.copyMessage} />
        {onRegenerate && (
          <Button
            variant="ghost"
            size="icon"
            aria-label={words.regenerate}
            title={words.regenerate}
            onClick={onRegenerate}
          >
            <RotateCcw aria-hidden className="size-4" />
          </Button>
        )}
      </div>
    </article>
  );
}

function Waiting() {
  return (
    <div aria-hidden className="flex h-7 items-center gap-1.5">
      <span className="size-2 animate-pulse rounded-full bg-muted" />
      <span className="size-2 animate-pulse rounded-full bg-muted [animation-delay:150ms]" />
      <span className="size-2 animate-pulse rounded-full bg-muted [animation-delay:300ms]" />
    </div>
  );
}
