const maxLength = 100_000;
const maxLine = 20_000;
const maxDepth = 60;
/** The limit for emphasis marks and brackets. Above that of containers: code has many unclosed ones. */
const maxOpen = 200;
const maxCells = 5_000;

const containers = /^(?:[ \t]*(?:>|(?:[-*+]|\d{1,9}[.)])(?=\s)))*[ \t]*/;
/** The delimiter row of a table. Without one, pipes are text. */
const delimiterRow = /^[ \t|:-]*-[ \t|:-]*$/;
const delimiters = /[*_~]+|[[\]]/g;

/**
 * Return whether markdown is shallow and small enough to be parsed and drawn. Quotes, lists, links
 * and emphasis nest without limit, and both the parser and React recurse into them. Takes time
 * linear in the length, and errs towards plain text.
 */
export function isDrawable(markdown: string): boolean {
  if (markdown.length > maxLength) return false;
  const lines = markdown.split("\n");
  let open = 0;
  let cells = 0;
  let block: Block = emptyBlock;
  for (const line of lines) {
    if (line.length > maxLine || containerDepth(line) > maxDepth) return false;
    if (line.trim() === "") {
      open = 0;
      cells += cellsOf(block);
      block = emptyBlock;
    }
    open = openAfter(line, open);
    if (open > maxOpen) return false;
    block = {
      lines: block.lines + 1,
      columns: Math.max(block.columns, line.split("|").length),
      isTable: block.isTable || delimiterRow.test(line.replace(containers, "")),
    };
  }
  return cells + cellsOf(block) <= maxCells;
}

/** A run of non-empty lines. */
type Block = { lines: number; columns: number; isTable: boolean };

const emptyBlock: Block = { lines: 0, columns: 0, isTable: false };

/** Estimate a table's cells. GFM pads every row to the header's width, and rows may have no pipes. */
function cellsOf({ lines, columns, isTable }: Block): number {
  return isTable && columns > 1 ? lines * columns : 0;
}

function containerDepth(line: string): number {
  const lead = containers.exec(line)?.[0] ?? "";
  const marks = lead.match(/[>*+-]|\d+[.)]/g)?.length ?? 0;
  // Two columns of indentation nest a list; a tab counts as four.
  const indent = /^[ \t]*/.exec(line)?.[0].replaceAll("\t", "    ").length ?? 0;
  return Math.max(marks, Math.floor(indent / 2));
}

/** Count the unclosed brackets and emphasis marks. Returns early above the limit. */
function openAfter(line: string, before: number): number {
  let open = before;
  for (const { 0: run, index } of line.matchAll(delimiters)) {
    const opens = run === "[" || (run !== "]" && isOpening(line, index, run.length));
    open = opens ? open + run.length : Math.max(0, open - run.length);
    if (open > maxOpen) return open;
  }
  return open;
}

function isOpening(line: string, index: number, length: number): boolean {
  return /^\S$/.test(line[index + length] ?? "") && !/^[\p{L}\p{N}]$/u.test(line[index - 1] ?? "");
}
