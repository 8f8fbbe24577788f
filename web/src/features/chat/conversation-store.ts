import { useMemo } from "react";
import type { ChatMessage } from "@/api/chat-stream";
import { storedValue } from "@/browser/stored-value";

export type Message = ChatMessage & {
  /** Why an answer ended before its end. */
  cut?: "stopped" | "broken";
};

export const chosenKey = storedValue("daypass.chat-key");

/**
 * For this tab alone and by account: a conversation survives a look at the keys, a reload and a new
 * sign-in, but is nobody else's to read.
 */
export function useConversationStore(accountId: string) {
  const { conversation, draft } = useMemo(
    () => ({
      conversation: storedValue(`daypass.conversation.${accountId}`, "tab"),
      draft: storedValue(`daypass.draft.${accountId}`, "tab"),
    }),
    [accountId],
  );
  const stored = conversation.useValue();
  const messages = useMemo(() => parse(stored), [stored]);
  const setMessages = (next: Message[]) =>
    conversation.set(next.length > 0 ? JSON.stringify(next) : null);
  return { messages, setMessages, draft };
}

function parse(stored: string | null): Message[] {
  try {
    const messages: unknown = JSON.parse(stored ?? "[]");
    return Array.isArray(messages) ? messages : [];
  } catch {
    return [];
  }
}
