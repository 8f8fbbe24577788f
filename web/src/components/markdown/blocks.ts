const fence = /^ {0,3}(`{3,}|~{3,})/;
const listItem = /^ {0,3}(?:[-*+]|\d{1,9}[.)])\s/;
const definition = /^ {0,3}\[[^\]]+\]:/m;

/**
 * Split markdown into top-level blocks. While an answer grows, only its last block changes, so
 * only that one is parsed again.
 */
export function splitBlocks(markdown: string): string[] {
  // Any block may use a link definition.
  if (definition.test(markdown)) return [markdown];
  const blocks: string[] = [];
  let current: string[] = [];
  let open: string | null = null;
  let blank = false;

  for (const line of markdown.split("\n")) {
    if (open === null && blank && line.trim() && startsBlock(line, current)) {
      blocks.push(current.join("\n"));
      current = [];
    }
    open = fenceAfter(line, open);
    blank = open === null && line.trim() === "";
    current.push(line);
  }
  return [...blocks, current.join("\n")];
}

/** Indented text and further list items continue what precedes the blank line. */
function startsBlock(line: string, current: string[]): boolean {
  const inList = listItem.test(current.find((text) => text.trim()) ?? "");
  return !/^(?: {2,}|\t)/.test(line) && !(inList && listItem.test(line));
}

/** Return the mark of the code fence that is open after a line, or null, given the one open before. */
export function fenceAfter(line: string, open: string | null): string | null {
  const mark = fence.exec(line)?.[1];
  if (!mark) return open;
  if (open === null) return mark;
  const closes = mark.startsWith(open) && /^ *(`+|~+)[ \t\r]*$/.test(line);
  return closes ? null : open;
}
