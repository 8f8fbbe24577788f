import { useMutation } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { streamChat, type ChatRequest } from "@/api/chat-stream";
import { GatewayError, type Failure } from "@/api/refusal";
import { useRefreshUsage } from "@/api/usage";
import { useConversationStore, type Message, type Tuning } from "./conversation-store";
import { usePaced } from "./use-paced";

export type Target = { keyId: string; model: string };

type Question = Target & {
  history: Message[];
  tuning: Tuning;
  isNew: boolean;
  signal: AbortSignal;
};

export type Incident = {
  failure: Failure;
  /** The key that was refused. Other keys have other limits. */
  keyId: string;
  /** Whether the message was returned to the composer. */
  takenBack: boolean;
};

export function useConversation(accountId: string) {
  const store = useConversationStore(accountId);
  const { messages, tuning, setMessages } = store;
  const [partial, showPartial] = usePaced();
  const [incident, setIncident] = useState<Incident>();
  const running = useRef<AbortController>(undefined);
  const refreshUsage = useRefreshUsage();

  useEffect(() => () => running.current?.abort(), []);

  const ask = useMutation({
    gcTime: 0,
    mutationFn: async ({ history, signal, ...question }: Question): Promise<void> => {
      let answer = "";
      const end = (cut?: Message["cut"]) =>
        setMessages([...history, { role: "assistant", content: answer, cut }]);
      try {
        for await (const delta of streamChat(requestOf(history, question), signal)) {
          answer += delta;
          showPartial(answer);
        }
        end();
      } catch (error) {
        if (signal.aborted) return end("stopped");
        if (answer) end("broken");
        throw error;
      }
    },
    onError: (error, { keyId, isNew }) => {
      const failure = failureOf(error);
      setIncident({ failure, keyId, takenBack: isNew && failure.kind !== "broken" });
    },
    onSettled: () => {
      showPartial("");
      void refreshUsage();
    },
  });

  /** Resolves to false if there was no answer. The conversation is then unchanged. */
  async function put(history: Message[], isNew: boolean, target: Target): Promise<boolean> {
    const controller = new AbortController();
    running.current = controller;
    setIncident(undefined);
    setMessages(history);
    try {
      await ask.mutateAsync({ ...target, history, tuning, isNew, signal: controller.signal });
      return true;
    } catch (error) {
      if (failureOf(error).kind === "broken") return true;
      setMessages(messages);
      return false;
    }
  }

  function leave(act: () => void): void {
    setIncident(undefined);
    ask.reset();
    act();
  }

  return {
    id: store.id,
    messages,
    tuning,
    setTuning: store.setTuning,
    entries: store.entries,
    draft: store.draft,
    partial,
    incident,
    // End as soon as the answer is among the messages, or it would briefly show twice.
    isStreaming: ask.isPending && messages.at(-1)?.role === "user",
    isComplete: ask.isSuccess,
    send: (content: string, target: Target) =>
      put([...messages, { role: "user", content }], true, target),
    /** Replace a message and remove everything after it. */
    resend: (place: number, content: string, target: Target) =>
      put([...messages.slice(0, place), { role: "user", content }], true, target),
    regenerate: (target: Target) => put(withoutLastAnswer(messages), false, target),
    stop: () => running.current?.abort(),
    begin: () => leave(store.begin),
    show: (id: string) => leave(() => store.show(id)),
    remove: (ids: string[]) => leave(() => store.remove(ids)),
    removeMessage: (place: number) =>
      leave(() => {
        const rest = messages.filter((_, index) => index !== place);
        if (rest.length > 0) setMessages(rest);
        else store.remove([store.id]);
      }),
    dismiss: () => setIncident(undefined),
  };
}

function failureOf(error: unknown): Failure {
  return error instanceof GatewayError ? error.failure : { kind: "broken", message: "" };
}

function requestOf(history: Message[], { keyId, model, tuning }: Target & { tuning: Tuning }): ChatRequest {
  const { instructions, temperature } = tuning;
  const system = instructions.trim() ? [{ role: "system" as const, content: instructions }] : [];
  return {
    api_key_id: keyId,
    model,
    ...(temperature !== null && { temperature }),
    messages: [...system, ...history.map(({ role, content }) => ({ role, content }))],
  };
}

function withoutLastAnswer(messages: Message[]): Message[] {
  return messages.at(-1)?.role === "assistant" ? messages.slice(0, -1) : messages;
}
