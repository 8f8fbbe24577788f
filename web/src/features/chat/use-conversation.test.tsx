// @vitest-environment happy-dom
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, renderHook, waitFor } from "@testing-library/react";
import type { ReactNode } from "react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { signedInAs } from "@/api/account-storage";
import { useConversation } from "./use-conversation";

const target = { keyId: "key-1", model: "demo" };
const sent: { messages: unknown[]; temperature?: number }[] = [];

beforeEach(() => {
  localStorage.clear();
  sessionStorage.clear();
  signedInAs.set("ada");
  sent.length = 0;
});
afterEach(() => vi.unstubAllGlobals());

function open() {
  const client = new QueryClient();
  const wrapper = ({ children }: { children: ReactNode }) => (
    <QueryClientProvider client={client}>{children}</QueryClientProvider>
  );
  return renderHook(() => useConversation("ada"), { wrapper }).result;
}

/** Answer chat requests with these responses in order. */
function answerWith(...responses: (() => Response)[]) {
  vi.stubGlobal(
    "fetch",
    vi.fn(async (_url: string, { body, signal }: RequestInit) => {
      sent.push(JSON.parse(String(body)));
      signal?.throwIfAborted();
      return responses.shift()!();
    }),
  );
}

function stream(...words: string[]): () => Response {
  const events = words.map((content) => `data: ${JSON.stringify({ choices: [{ delta: { content } }] })}\n\n`);
  const headers = { "content-type": "text/event-stream" };
  return () => new Response([...events, "data: [DONE]\n\n"].join(""), { headers });
}

function refusal(): Response {
  const error = { message: "Spent.", type: "insufficient_quota", code: "insufficient_quota" };
  return Response.json({ error }, { status: 429 });
}

test("an answer is shown below its question", async () => {
  answerWith(stream("Hel", "lo."));
  const chat = open();
  await act(() => chat.current.send("Say hello.", target));
  expect(chat.current.messages).toEqual([
    { role: "user", content: "Say hello." },
    { role: "assistant", content: "Hello.", cut: undefined },
  ]);
  expect(chat.current.isStreaming).toBe(false);
});

test("a refused message leaves the conversation unchanged and returns to the composer", async () => {
  answerWith(stream("One."), refusal);
  const chat = open();
  await act(() => chat.current.send("First", target));
  const before = chat.current.messages;
  let wasAnswered: boolean | undefined;
  await act(async () => {
    wasAnswered = await chat.current.send("Second", target);
  });
  expect(wasAnswered).toBe(false);
  expect(chat.current.messages).toEqual(before);
  expect(chat.current.incident).toMatchObject({ keyId: "key-1", takenBack: true });
});

test("asking again replaces the last answer", async () => {
  answerWith(stream("One."), stream("Two."));
  const chat = open();
  await act(() => chat.current.send("Which?", target));
  await act(() => chat.current.regenerate(target));
  expect(sent[1]?.messages).toEqual([{ role: "user", content: "Which?" }]);
  expect(chat.current.messages.map(({ content }) => content)).toEqual(["Which?", "Two."]);
});

test("editing a message drops the messages after it", async () => {
  answerWith(stream("One."), stream("Two."), stream("Three."));
  const chat = open();
  await act(() => chat.current.send("First", target));
  await act(() => chat.current.send("Second", target));
  await act(() => chat.current.resend(0, "Changed", target));
  expect(chat.current.messages.map(({ content }) => content)).toEqual(["Changed", "Three."]);
});

test("instructions and temperature go with each message", async () => {
  answerWith(stream("Ok."));
  const chat = open();
  act(() => chat.current.setTuning({ instructions: "Be brief.", temperature: 0 }));
  await act(() => chat.current.send("Hello", target));
  expect(sent[0]).toMatchObject({
    temperature: 0,
    messages: [
      { role: "system", content: "Be brief." },
      { role: "user", content: "Hello" },
    ],
  });
});

test("removing the last message removes the conversation", async () => {
  answerWith(stream("One."));
  const chat = open();
  await act(() => chat.current.send("First", target));
  const { id } = chat.current;
  act(() => chat.current.removeMessage(1));
  expect(chat.current.messages).toHaveLength(1);
  act(() => chat.current.removeMessage(0));
  await waitFor(() => expect(chat.current.id).not.toBe(id));
  expect(chat.current.entries).toEqual([]);
});
