import { useMemo, useState } from "react";
import { accountDraft, accountValue } from "@/api/account-storage";
import type { ChatMessage } from "@/api/chat-stream";
import { storedValue } from "@/browser/stored-value";
import * as z from "@/forms/zod";

export type Message = ChatMessage & {
  /** Why an answer ended before its end. */
  cut?: "stopped" | "broken";
};

export type Tuning = {
  /** Told to the model before everything else; empty: nothing. */
  instructions: string;
  /** Null: the model's own. */
  temperature: number | null;
};

type Conversation = { messages: Message[]; tuning: Tuning };

/** A line of the list of conversations; `at` is Unix time in milliseconds. */
export type Entry = { id: string; title: string; at: number };

export const chosenKey = storedValue("daypass.chat-key");

const noTuning: Tuning = { instructions: "", temperature: null };
const empty: Conversation = { messages: [], tuning: noTuning };

/** What is in the browser's storage may be of another version, or edited. */
const conversationSchema = z.object({
  messages: z.array(
    z.object({
      role: z.enum(["user", "assistant"]),
      content: z.string(),
      cut: z.optional(z.enum(["stopped", "broken"])),
    }),
  ),
  tuning: z.catch(
    z.object({
      instructions: z.string(),
      temperature: z.nullable(z.number().check(z.minimum(0), z.maximum(2))),
    }),
    noTuning,
  ),
});
const entriesSchema = z.array(z.object({ id: z.string(), title: z.string(), at: z.number() }));

const titleLength = 80;
const kept = 50;

/**
 * Conversations are kept by account and in this browser alone, until they are deleted or the account
 * signs out. Each tab has one conversation open, and a draft of its own.
 */
export function useConversationStore(accountId: string) {
  const { open, draft, index } = useMemo(
    () => ({
      open: accountValue(accountId, "open", "tab"),
      draft: accountDraft(accountId),
      index: accountValue(accountId, "index"),
    }),
    [accountId],
  );
  const [fresh, setFresh] = useState(newId);
  const id = open.useValue() ?? fresh;
  const store = useMemo(() => accountValue(accountId, id), [accountId, id]);
  const stored = store.useValue();
  const conversation = useMemo(() => parse(stored, conversationSchema, empty), [stored]);
  const listed = index.useValue();
  const entries = useMemo(() => parse(listed, entriesSchema, []), [listed]);

  // Written long after the page was drawn, when an answer ends: what stands in the store counts.
  const now = () => parse(store.get(), conversationSchema, empty);
  const list = (change: (entries: Entry[]) => Entry[]) =>
    index.set(JSON.stringify(change(parse(index.get(), entriesSchema, []))));
  const drop = (dropped: string) => accountValue(accountId, dropped).set(null);

  function setMessages(messages: Message[]): void {
    store.set(JSON.stringify({ ...now(), messages }));
    open.set(id);
    list((before) => {
      const others = before.filter((entry) => entry.id !== id);
      others.slice(kept - 1).forEach((entry) => drop(entry.id));
      const title = messages[0]?.content.trim().slice(0, titleLength);
      const rest = others.slice(0, kept - 1);
      return title === undefined ? rest : [{ id, title, at: Date.now() }, ...rest];
    });
  }

  function begin(): void {
    setFresh(newId());
    open.set(null);
  }

  return {
    ...conversation,
    id,
    entries,
    draft,
    setMessages,
    setTuning: (tuning: Tuning) => store.set(JSON.stringify({ ...now(), tuning })),
    begin,
    show: open.set,
    remove: (ids: string[]) => {
      ids.forEach(drop);
      list((before) => before.filter((entry) => !ids.includes(entry.id)));
      if (ids.includes(id)) begin();
    },
  };
}

/** `crypto.randomUUID` is missing on plain http addresses, and nobody guesses these. */
function newId(): string {
  return Date.now().toString(36) + Math.random().toString(36).slice(2, 8);
}

function parse<Value>(stored: string | null, schema: z.ZodMiniType<Value>, otherwise: Value): Value {
  try {
    return schema.safeParse(JSON.parse(stored ?? "null")).data ?? otherwise;
  } catch {
    return otherwise;
  }
}
