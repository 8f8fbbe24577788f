"use client";

import { zodResolver } from "@hookform/resolvers/zod";
import clsx from "clsx";
import { ArrowUp, Square } from "lucide-react";
import { useEffect, useId, type KeyboardEvent, type ReactNode } from "react";
import { useForm } from "react-hook-form";
import type { storedValue } from "@/browser/stored-value";
import { Button } from "@/components/ui/button";
import * as z from "@/forms/zod";
import * as strings from "@/strings";

type Props = {
  draft: ReturnType<typeof storedValue>;
  /** Text to append below what is already in the field. */
  given: { text: string } | undefined;
  /** Why sending is blocked. Writing stays possible. */
  held: string | undefined;
  streaming: boolean;
  /** Resolves to false if the message was not answered and should return to the field. */
  onSend: (text: string) => Promise<boolean>;
  onStop: () => void;
  aside: ReactNode;
};

// Do not trim: send, and restore after a refusal, exactly what was written.
export const messageSchema = z.object({ message: z.string().check(z.regex(/\S/)) });

/** The form's ID, so that buttons elsewhere can submit it. */
export const composerId = "composer";

const words = strings.chat;

export function Composer({ draft, given, held, streaming, onSend, onStop, aside }: Props) {
  const noteId = useId();
  const form = useForm({
    resolver: zodResolver(messageSchema),
    defaultValues: { message: draft.get() ?? "" },
  });
  const field = form.register("message", { onChange: (event) => draft.set(event.target.value) });

  function write(message: string) {
    form.setValue("message", message);
    draft.set(message || null);
    form.setFocus("message");
  }

  function putBack(message: string) {
    const writtenSince = form.getValues("message");
    write(writtenSince ? `${message}\n\n${writtenSince}` : message);
  }

  useEffect(() => {
    if (given) putBack(given.text);
    // eslint-disable-next-line react-hooks/exhaustive-deps -- writes when something is given, not when the form changes
  }, [given]);

  const submit = form.handleSubmit(async ({ message }) => {
    if (held || streaming) return;
    write("");
    if (!(await onSend(message))) putBack(message);
  });

  function onKeyDown(event: KeyboardEvent) {
    // During IME composition (Japanese, Chinese), Enter belongs to the input method.
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    void submit();
  }

  return (
    <form
      id={composerId}
      noValidate
      onSubmit={submit}
      className="rounded-xl border border-line-strong/60 bg-raised focus-within:border-line-strong"
    >
      <textarea
        {...field}
        aria-label={words.composer}
        aria-describedby={noteId}
        placeholder={words.placeholder}
        rows={2}
        onKeyDown={onKeyDown}
        className="field-sizing-content block max-h-60 w-full resize-none bg-transparent px-4 pt-3 text-base outline-none placeholder:text-muted"
      />
      <div className="flex items-center gap-3 px-3 pb-3">
        {aside}
        <p id={noteId} className={clsx("min-w-0 flex-1 text-xs text-muted", !held && "max-sm:sr-only")}>
          {held ?? words.hint}
        </p>
        {streaming ? (
          <Button size="icon" className="ml-auto" aria-label={words.stop} title={words.stop} onClick={onStop}>
            <Square aria-hidden className="size-3.5 fill-current" />
          </Button>
        ) : (
          <Button
            type="submit"
            size="icon"
            className="ml-auto"
            aria-label={words.send}
            aria-disabled={held ? true : undefined}
            aria-describedby={held ? noteId : undefined}
            title={held ?? words.send}
          >
            <ArrowUp aria-hidden className="size-4" />
          </Button>
        )}
      </div>
    </form>
  );
}
