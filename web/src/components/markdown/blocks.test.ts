import { expect, test } from "vitest";
import { splitBlocks } from "./blocks";

test("splits between paragraphs without losing text", () => {
  const text = "# Title\n\nOne\ntwo\n\n\nThree";
  expect(splitBlocks(text)).toEqual(["# Title\n", "One\ntwo\n\n", "Three"]);
  expect(splitBlocks(text).join("\n")).toBe(text);
});

test("keeps a code block whole, even while it is still open", () => {
  expect(splitBlocks("```js\na\n\nb\n```\n\nc")).toEqual(["```js\na\n\nb\n```\n", "c"]);
  expect(splitBlocks("```\n```~~~\n\nb")).toEqual(["```\n```~~~\n\nb"]);
  expect(splitBlocks("```\n```\u00A0\n\nb")).toEqual(["```\n```\u00A0\n\nb"]);
  expect(splitBlocks("```\r\n```\t\r\n\r\nb")).toEqual(["```\r\n```\t\r\n\r", "b"]);
  expect(splitBlocks("a\n\n````\n```\n\nb")).toEqual(["a\n", "````\n```\n\nb"]);
});

test("keeps a list whole, including the contents of its items", () => {
  const list = "1. a\n\n   more\n\n2. b";
  expect(splitBlocks(`${list}\n\nafter`)).toEqual([`${list}\n`, "after"]);
  expect(splitBlocks("text\n\n- a\n- b")).toEqual(["text\n", "- a\n- b"]);
});

test("does not split text with definitions, because any block may use them", () => {
  const text = "See [it][1].\n\n[1]: https://example.com";
  expect(splitBlocks(text)).toEqual([text]);
});
