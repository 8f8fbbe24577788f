import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { expect, test } from "vitest";
import { isDrawable } from "./drawable";
import { Markdown } from "./markdown";

function filled(unit: string, length: number): string {
  return unit.repeat(length / unit.length);
}

const words = "Most of an answer is prose: sentences without any mark, one after another, ";
const prose = `## A heading

A paragraph with **bold words**, \`some_code[0]\`, and [a link](https://example.com/a_b), as long as usual.
${words.repeat(4)}

1. *First*: a sentence about it that says something.
   - Nested, with \`code\`
2. Second

| a | b |
|---|---|
| 1 | \`x_y\` |

\`\`\`ts
const a_b = [1, 2] || c[d * e];
\`\`\`

`;

/** Starts that look like an open code fence to a naive check but not to the parser. */
const fenceTricks: [string, string][] = [
  ["a fence within HTML", "<div>\n```\n"],
  ["a fence within HTML that outlasts blank lines", "<!--\n\n```\n-->\n"],
  ["a fence within a list item", "- ```\n\n"],
  ["a fence indented in a list item", "- a\n\n  ```\n"],
  ["a fence with a backtick in its first line", "``` `\n"],
  ["a closed fence", "```\n```\t\n"],
  ["a fence after a byte order mark", "\uFEFF```\n```\n"],
  ["a fence followed by a mixed one", "```\n```~~~\n```\n"],
];

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
  ["items in every line", filled("* * * * * * * * * * a\n", 100_000)],
  ["lines that continue a deep quote", ">".repeat(59) + "a\n" + filled("b\n", 100_000)],
  ["empty items", filled("-\n", 100_000)],
  ["underlined headings", filled("a\n-\n", 20_000)],
  ["underlined headings with other line ends", filled("a\r-\r", 20_000)],
  ["mixed delimiters", filled("*_~", 20_000)],
  ["closing emphasis", filled("a* b*", 20_000)],
  ["closing brackets", filled("]", 20_000)],
  ["closing brackets and a footnote", filled("]", 9_000) + "\n\n[^1]: x"],
  ["marks after an open bracket", "[" + filled("!1. ".repeat(1000) + "\n", 100_000)],
  ["words after an open bracket", "![" + filled("x" + " -".repeat(5_000) + "\n", 90_000) + "]"],
  ["lines after an open bracket", "[" + filled("x\n", 24_000) + "]"],
  ["comments without an end", filled("<!-- ".repeat(1000) + "\n", 100_000)],
  ["a list with blank lines", filled("- *a*\n\n", 100_000)],
  ["small paragraphs", filled("a\n\n", 100_000)],
  ...fenceTricks.map(([name, start]): [string, string] => [name, start + filled("* * * * * a\n", 90_000)]),
])("%s beyond the limit are not drawn", (_, text) => {
  expect(isDrawable(text)).toBe(false);
});

test.each([
  ["prose", "# Title\n\n- one\n  - two\n    - three\n\n> *said* **loudly** [here](https://a.b)\n"],
  ["long prose", filled(prose, 60_000)],
  ["long code without blank lines", "```c\n" + filled("int *a[3], **b_c; /* `x` */\n", 80_000) + "```"],
  ["long code in an item", "1. Do:\n   ```c\n" + filled("   a_b[i] || c * d;\n", 10_000) + "   ```"],
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
