"use client";

import { Pencil, RotateCcw } from "lucide-react";
import { useState } from "react";
import { CopyButton } from "@/components/ui/copy-button";
import { IconButton } from "@/components/ui/icon-button";
import * as strings from "@/strings";
import type { Message } from "./conversation-store";
import { LazyMarkdown } from "./lazy-markdown";
import { MessageEditor } from "./message-editor";
import { useFollowEnd } from "./use-follow-end";

const words = strings.chat;

type Props = {
  messages: Message[];
  /** The answer being written; null when none is. */
  partial: string | null;
  onRegenerate?: () => void;
  onResend?: (place: number, content: string) => void;
};

export function Transcript({ messages, partial, onRegenerate, onResend }: Props) {
  useFollowEnd();
  // In the place where it will stand when it is done: what has been drawn of it is not drawn again.
  const shown: Message[] =
    partial === null ? messages : [...messages, { role: "assistant", content: partial }];

  return (
    <section aria-label={words.transcript} aria-live="off" className="flex-1 space-y-8 py-4">
      {shown.map((message, index) =>
        message.role === "user" ? (
          <UserMessage
            key={index}
            content={message.content}
            onResend={partial === null && onResend ? (text) => onResend(index, text) : undefined}
          />
        ) : (
          <AssistantMessage
            key={index}
            message={message}
            writing={index === messages.length}
            onRegenerate={
              index === messages.length - 1 && partial === null ? onRegenerate : undefined
            }
          />
        ),
      )}
    </section>
  );
}

type QuestionProps = { content: string; onResend?: (content: string) => void };

function UserMessage({ content, onResend }: QuestionProps) {
  const [editing, setEditing] = useState(false);
  if (editing && onResend) {
    return (
      <article aria-label={words.you}>
        <MessageEditor
          message={content}
          onCancel={() => setEditing(false)}
          onSend={(text) => {
            setEditing(false);
            onResend(text);
          }}
        />
      </article>
    );
  }
  return (
    <article aria-label={words.you} className="flex items-start justify-end gap-1">
      {onResend && (
        <IconButton icon={Pencil} label={words.edit} onClick={() => setEditing(true)} />
      )}
      <p className="max-w-[85%] rounded-2xl rounded-br-md bg-track/60 px-4 py-2.5 leading-7 wrap-anywhere whitespace-pre-wrap">
        {content}
      </p>
    </article>
  );
}

type AnswerProps = { message: Message; writing: boolean; onRegenerate?: () => void };

function AssistantMessage({ message: { content, cut }, writing, onRegenerate }: AnswerProps) {
  return (
    <article aria-label={words.assistant} aria-busy={writing || undefined}>
      {writing && !content ? <Waiting /> : <LazyMarkdown text={content} />}
      {cut && (
        <p className="mt-3 text-sm text-muted">
          {cut === "stopped" ? words.stopped : words.cut}
        </p>
      )}
      {!writing && (
        <div className="mt-2 -ml-2 flex">
          <CopyButton compact variant="ghost" text={content} label={words.copyMessage} />
          {onRegenerate && (
            <IconButton icon={RotateCcw} label={words.regenerate} onClick={onRegenerate} />
          )}
        </div>
      )}
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
