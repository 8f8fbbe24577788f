// @vitest-environment happy-dom
import { act, renderHook } from "@testing-library/react";
import { beforeEach, expect, test } from "vitest";
import { accountValue, signedInAs } from "@/api/account-storage";
import { useConversationStore } from "./conversation-store";

const question = { role: "user", content: "What is a quota?" } as const;

beforeEach(() => {
  localStorage.clear();
  sessionStorage.clear();
  signedInAs.set("ada");
});

function open() {
  return renderHook(() => useConversationStore("ada"));
}

test("a conversation is stored under its first words and can be found again", () => {
  const first = open();
  act(() => first.result.current.setMessages([question]));
  const { id } = first.result.current;
  first.unmount();

  const { result } = open();
  expect(result.current.id).toBe(id);
  expect(result.current.messages).toEqual([question]);
  expect(result.current.entries).toMatchObject([{ id, title: "What is a quota?" }]);
});

test("settings and messages are stored separately", () => {
  const { result } = open();
  act(() => result.current.setTuning({ instructions: "Be brief.", temperature: 0.5 }));
  act(() => result.current.setMessages([question]));
  expect(result.current).toMatchObject({
    messages: [question],
    tuning: { instructions: "Be brief.", temperature: 0.5 },
  });
});

test("deleting the open conversation starts a new one", () => {
  const { result } = open();
  act(() => result.current.setMessages([question]));
  const { id } = result.current;
  act(() => result.current.remove([id]));
  expect(result.current.id).not.toBe(id);
  expect(result.current.messages).toEqual([]);
  expect(result.current.entries).toEqual([]);
  expect(accountValue("ada", id).get()).toBeNull();
});

test("the newest 50 stay", () => {
  const { result } = open();
  for (let number = 0; number < 52; number++) {
    act(() => result.current.begin());
    act(() => result.current.setMessages([{ role: "user", content: String(number) }]));
  }
  expect(result.current.entries).toHaveLength(50);
  expect(result.current.entries[0]?.title).toBe("51");
  expect(result.current.entries.at(-1)?.title).toBe("2");
});

test.each([
  ["no JSON", "{"],
  ["another shape", JSON.stringify({ messages: "none" })],
  ["a message without content", JSON.stringify({ messages: [{ role: "user" }], tuning: {} })],
])("%s in storage is read as an empty conversation", (_, stored) => {
  accountValue("ada", "one").set(stored);
  accountValue("ada", "open", "tab").set("one");
  const { result } = open();
  expect(result.current.messages).toEqual([]);
  expect(result.current.tuning).toEqual({ instructions: "", temperature: null });
});

test("a stored temperature out of range is ignored, and the messages stay", () => {
  const tuning = { instructions: "", temperature: 9 };
  accountValue("ada", "one").set(JSON.stringify({ messages: [question], tuning }));
  accountValue("ada", "open", "tab").set("one");
  const { result } = open();
  expect(result.current.tuning.temperature).toBeNull();
  expect(result.current.messages).toEqual([question]);
});
