import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { expect, test } from "vitest";
import { isDrawable } from "./drawable";
import { Markdown } from "./markdown";

test.each([
  ["quotes", ">".repeat(3000) + " deep"],
  ["spaced quotes", "> ".repeat(3000) + "deep"],
  ["lists on one line", "- ".repeat(3000) + "deep"],
  ["indented lists", Array.from({ length: 200 }, (_, i) => " ".repeat(2 * i) + "- a").join("\n")],
  ["emphasis", "*a ".repeat(3000) + "a* ".repeat(3000)],
  ["strong", "*".repeat(3000) + "a" + "*".repeat(3000)],
  ["brackets", "[".repeat(3000) + "]".repeat(3000)],
  ["images over lines", "![a\n".repeat(3000) + "](b)".repeat(3000)],
  ["a table of 6,000 cells", `${"|a".repeat(60)}|\n${"|-".repeat(60)}|\n${"|1|\n".repeat(100)}`],
  ["a wide table in a quote", `> ${"|a".repeat(500)}|\n> ${"|-".repeat(500)}|\n${"> |a|\n".repeat(50)}`],
  ["many small tables", `${"|a".repeat(20)}|\n${"|-".repeat(20)}|\n\n`.repeat(200)],
  ["a wide table", `${"|a".repeat(500)}|\n${"|-".repeat(500)}|\n${"|a|\n".repeat(500)}`],
  ["one long line", "a".repeat(1_000_000)],
  ["many lines", "a\n".repeat(100_000)],
])("%s beyond the limit are not drawn", (_, text) => {
  expect(isDrawable(text)).toBe(false);
});

test.each([
  ["prose", "# Title\n\n- one\n  - two\n    - three\n\n> *said* **loudly** [here](https://a.b)\n"],
  ["code with many pipes", `\`\`\`js\n${"a || b;\n".repeat(2000)}\`\`\``],
  ["tables and prose", `${"A line.\n".repeat(1000)}\n${"|a".repeat(20)}|\n${"|-".repeat(20)}|\n${"|1".repeat(20)}|`],
  ["a table", "|a|b|\n|-|-|\n" + "|1|2|\n".repeat(1000)],
  ["code", "```c\n" + "int *a[3], **b; /* x */\n".repeat(50) + "```\n"],
  ["emphasis at the limit", "*a ".repeat(190) + "b" + " a*".repeat(190)],
  ["a long rule", "a\n\n" + "-".repeat(120) + "\n\nb"],
  ["quotes at the limit", ">".repeat(60) + " deep"],
])("%s is drawn", (_, text) => {
  expect(isDrawable(text)).toBe(true);
  expect(renderToStaticMarkup(createElement(Markdown, { text }))).not.toBe("");
});
