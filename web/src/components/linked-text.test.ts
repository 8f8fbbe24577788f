import { expect, test } from "vitest";
import { paragraphsOf } from "./linked-text";

test("splits paragraphs at blank lines and keeps single line breaks", () => {
  expect(paragraphsOf("One\ntwo\n\n \n\nThree\n")).toEqual([[{ text: "One\ntwo" }], [{ text: "Three" }]]);
  expect(paragraphsOf("\n\n")).toEqual([]);
});

test("finds links and leaves the sentence's punctuation out", () => {
  const href = "https://example.org/a?b=(c)&d=1";
  expect(paragraphsOf(`See ${href}, or http://x.example.`)[0]).toEqual([
    { text: "See " },
    { text: href, href },
    { text: ", or " },
    { text: "http://x.example", href: "http://x.example" },
    { text: "." },
  ]);
});

test.each(["javascript:alert(1)", "data:text/html,x", "//evil.example", "<b>bold</b>", "https://"])(
  "%s is text",
  (text) => expect(paragraphsOf(text)[0]!.every((piece) => piece.href === undefined)).toBe(true),
);
