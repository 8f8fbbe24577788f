"use client";

import { Pencil, RotateCcw, Trash2 } from "lucide-react";
import { useRef, useState } from "react";
import { LazyMarkdown } from "@/components/markdown/lazy-markdown";
import { PlainText } from "@/components/markdown/plain-text";
import { CopyButton } from "@/components/ui/copy-button";
import { IconButton } from "@/components/ui/icon-button";
import * as strings from "@/strings";
import type { Message } from "./conversation-store";
import { MessageEditor } from "./message-editor";
import { useFollowEnd } from "./use-follow-end";

const words = strings.chat;

type Props = {
  messages: Message[];
  /** The answer being written, or null. */
  partial: string | null;
  onRegenerate?: () => void;
  onResend?: (place: number, content: string) => void;
  onRemove: (place: number) => void;
};

export function Transcript({ messages, partial, onRegenerate, onResend, onRemove }: Props) {
  useFollowEnd();
  // Part of the React keys: after a deletion, indices refer to other messages.
  const section = useRef<HTMLElement>(null);
  const [removals, setRemovals] = useState(0);
  const remove = (place: number) => {
    setRemovals(removals + 1);
    onRemove(place);
    // The focused button is removed with its message.
    section.current?.focus();
  };
  // Rendered at its final position, so that finished blocks are not rendered again.
  const shown: Message[] =
    partial === null ? messages : [...messages, { role: "assistant", content: partial }];

  return (
    <section
      ref={section}
      tabIndex={-1}
      aria-label={words.transcript}
      aria-live="off"
      className="flex-1 space-y-8 py-4 outline-none"
    >
      {shown.map((message, index) =>
        message.role === "user" ? (
          <UserMessage
            key={`${removals}.${index}`}
            content={message.content}
            onResend={partial === null && onResend ? (text) => onResend(index, text) : undefined}
            onRemove={partial === null ? () => remove(index) : undefined}
          />
        ) : (
          <AssistantMessage
            key={`${removals}.${index}`}
            message={message}
            writing={index === messages.length}
            onRegenerate={
              index === messages.length - 1 && partial === null ? onRegenerate : undefined
            }
            onRemove={partial === null ? () => remove(index) : undefined}
          />
        ),
      )}
    </section>
  );
}

type QuestionProps = {
  content: string;
  onResend?: (content: string) => void;
  onRemove?: () => void;
};

function UserMessage({ content, onResend, onRemove }: QuestionProps) {
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
      <div className="flex shrink-0 max-sm:flex-col">
        {onRemove && <IconButton icon={Trash2} label={words.deleteMessage} onClick={onRemove} />}
        {onResend && (
          <IconButton icon={Pencil} label={words.edit} onClick={() => setEditing(true)} />
        )}
      </div>
      <div className="max-w-[85%] min-w-0 rounded-2xl rounded-br-md bg-track/60 px-4 py-2.5">
        <PlainText text={content} />
      </div>
    </article>
  );
}

type AnswerProps = {
  message: Message;
  writing: boolean;
  onRegenerate?: () => void;
  onRemove?: () => void;
};

function AssistantMessage({ message, writing, onRegenerate, onRemove }: AnswerProps) {
  const { content, cut } = message;
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
          {onRemove && <IconButton icon={Trash2} label={words.deleteMessage} onClick={onRemove} />}
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
