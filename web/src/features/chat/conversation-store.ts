import { useMemo, useState } from "react";
import { accountDraft, accountValue } from "@/api/account-storage";
import type { ChatMessage } from "@/api/chat-stream";
import { storedValue } from "@/browser/stored-value";
import * as z from "@/forms/zod";

export type Message = ChatMessage & {
  /** Why an answer is incomplete. */
  cut?: "stopped" | "broken";
};

export type Tuning = {
  /** Sent to the model before everything else, unless empty. */
  instructions: string;
  /** Null uses the model's default. */
  temperature: number | null;
};

type Conversation = { messages: Message[]; tuning: Tuning };

/** An entry of the conversation list. `at` is Unix time in milliseconds. */
export type Entry = { id: string; title: string; at: number };

export const chosenKey = storedValue("daypass.chat-key");

const noTuning: Tuning = { instructions: "", temperature: null };
const empty: Conversation = { messages: [], tuning: noTuning };

/** Stored data may come from another version or have been edited, so it is validated. */
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
 * Conversations are stored per account, in this browser only, until they are deleted or the account
 * signs out. Each tab has one conversation open, with its own draft.
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

  // Read the store again: an answer may end long after the page was rendered.
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

/** `crypto.randomUUID` is missing on plain http, and these IDs need not be unguessable. */
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
