"use client";

import { zodResolver } from "@hookform/resolvers/zod";
import clsx from "clsx";
import { useEffect } from "react";
import { useForm } from "react-hook-form";
import { Button } from "@/components/ui/button";
import { controlStyles } from "@/components/ui/input";
import * as strings from "@/strings";
import { messageSchema } from "./composer";

const words = strings.chat;

type Props = { message: string; onSend: (message: string) => void; onCancel: () => void };

/** Replaces a sent message while it is edited. */
export function MessageEditor({ message, onSend, onCancel }: Props) {
  const form = useForm({ resolver: zodResolver(messageSchema), defaultValues: { message } });
  const { setFocus } = form;

  useEffect(() => setFocus("message"), [setFocus]);

  return (
    <form
      noValidate
      onSubmit={form.handleSubmit((values) => onSend(values.message))}
      onKeyDown={(event) => event.key === "Escape" && onCancel()}
      className="w-full space-y-2"
    >
      <textarea
        {...form.register("message")}
        aria-label={words.editMessage}
        rows={2}
        className={clsx(controlStyles, "field-sizing-content max-h-60 resize-none py-2.5")}
      />
      <p className="flex flex-wrap items-center justify-end gap-2 text-xs text-muted">
        <span className="mr-auto">{words.editHint}</span>
        <Button variant="secondary" size="small" onClick={onCancel}>
          {strings.actions.cancel}
        </Button>
        <Button type="submit" size="small">
          {words.resend}
        </Button>
      </p>
    </form>
  );
}
