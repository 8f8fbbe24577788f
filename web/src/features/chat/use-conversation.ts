import { useMutation } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { streamChat } from "@/api/chat-stream";
import { GatewayError, type Failure } from "@/api/refusal";
import { useRefreshUsage } from "@/api/usage";
import { useConversationStore, type Message } from "./conversation-store";
import { usePaced } from "./use-paced";

export type Target = { keyId: string; model: string };

type Question = Target & { history: Message[]; isNew: boolean; signal: AbortSignal };

export type Incident = {
  failure: Failure;
  /** The key that met it: another key's limits are another matter. */
  keyId: string;
  /** Whether a message went back to the composer. */
  takenBack: boolean;
};

export function useConversation(accountId: string) {
  const { messages, setMessages, draft } = useConversationStore(accountId);
  const [partial, showPartial] = usePaced();
  const [incident, setIncident] = useState<Incident>();
  const running = useRef<AbortController>(undefined);
  const refreshUsage = useRefreshUsage();

  useEffect(() => () => running.current?.abort(), []);

  const ask = useMutation({
    gcTime: 0,
    mutationFn: async ({ history, keyId, model, signal }: Question): Promise<void> => {
      let answer = "";
      const end = (cut?: Message["cut"]) =>
        setMessages([...history, { role: "assistant", content: answer, cut }]);
      try {
        const request = { api_key_id: keyId, model, messages: history.map(wireMessage) };
        for await (const delta of streamChat(request, signal)) {
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

  /** Resolves to false when nothing was answered: the conversation is then as it was before. */
  async function put(history: Message[], isNew: boolean, target: Target): Promise<boolean> {
    const controller = new AbortController();
    running.current = controller;
    setIncident(undefined);
    setMessages(history);
    try {
      await ask.mutateAsync({ ...target, history, isNew, signal: controller.signal });
      return true;
    } catch (error) {
      if (failureOf(error).kind === "broken") return true;
      setMessages(messages);
      return false;
    }
  }

  return {
    messages,
    draft,
    partial,
    incident,
    // Over as soon as the answer stands among the messages, or it would be shown twice for a moment.
    isStreaming: ask.isPending && messages.at(-1)?.role === "user",
    isComplete: ask.isSuccess,
    send: (content: string, target: Target) =>
      put([...messages, { role: "user", content }], true, target),
    regenerate: (target: Target) => put(withoutLastAnswer(messages), false, target),
    stop: () => running.current?.abort(),
    clear: () => {
      setMessages([]);
      setIncident(undefined);
    },
    dismiss: () => setIncident(undefined),
  };
}

function failureOf(error: unknown): Failure {
  return error instanceof GatewayError ? error.failure : { kind: "broken", message: "" };
}

function wireMessage({ role, content }: Message) {
  return { role, content };
}

function withoutLastAnswer(messages: Message[]): Message[] {
  return messages.at(-1)?.role === "assistant" ? messages.slice(0, -1) : messages;
}
