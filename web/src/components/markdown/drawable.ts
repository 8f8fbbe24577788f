import { fenceAfter } from "./blocks";

const maxLength = 100_000;
const maxLine = 20_000;
const maxDepth = 60;
/** The limit for emphasis marks and brackets. Above that of containers: code has many unclosed ones. */
const maxOpen = 200;
/** The longest estimated time to draw a message, in milliseconds. */
const maxTime = 500;

/**
 * Estimated milliseconds, measured with react-markdown and remark-gfm on a busy machine. Emphasis,
 * brackets, headings and lines in lists and quotes take time quadratic in their number per block.
 */
const price = {
  character: 0.001,
  line: 0.02,
  codeLine: 0.01,
  block: 0.25,
  item: 0.1,
  cell: 0.1,
  mark: 0.03,
  markSquared: 2e-5,
};

const lineEnd = /\r\n|\r|\n/;
const blank = /^[ \t]*$/;
const containers = /^(?:[ \t]*(?:>|(?:[-*+]|\d{1,9}[.)])(?=\s|$)))*[ \t]*/;
const containerMark = /[>*+-]|\d+[.)]/g;
/** The delimiter row of a table. Without one, pipes are text. */
const delimiterRow = /^[ \t|:-]*-[ \t|:-]*$/;
const delimiters = /[*_~]+|[[\]]/g;
const inlineMark = /([*_~`])\1*|<[!?]|[[\]|!<&\\]/g;
/** After an unclosed "[", each word slows the parser. */
const word = /\S+/g;
const wordWeight = 0.3;
/** The line below a heading, which costs as much as several other marks. */
const underline = /^(?:-+|=+)[ \t]*$/;
const underlineMarks = 4;

const openingFence = /^(?:`{3,}[^`]*|~{3,}.*)$/;
/** HTML and fences in containers: whether a later line opens a fence is then hard to tell. */
const obscuresFences = /^\uFEFF|^ {0,3}<|```|~~~/;

/**
 * Return whether markdown is shallow and cheap enough to be parsed and drawn. Quotes, lists, links
 * and emphasis nest without limit, and both the parser and React recurse into them. Takes time
 * linear in the length, and errs towards plain text.
 */
export function isDrawable(markdown: string): boolean {
  return markdown.length <= maxLength && drawingTime(markdown) <= maxTime;
}

/** Estimate the milliseconds that drawing takes. Infinite for text beyond a limit; stops early above `maxTime`. */
function drawingTime(markdown: string): number {
  let cost = markdown.length * price.character;
  let block = new Block();
  let fence: string | null = null;
  let fencesAreClear = true;
  for (const line of markdown.split(lineEnd)) {
    if (line.length > maxLine) return Infinity;
    if (fence !== null) {
      fence = fenceAfter(line, fence);
      cost += price.codeLine;
      continue;
    }
    if (fencesAreClear && openingFence.test(line)) {
      fence = fenceAfter(line, null);
      cost += price.block;
      continue;
    }
    fencesAreClear &&= !obscuresFences.test(line);
    if (block.isEndedBy(line)) {
      cost += block.cost();
      block = new Block();
    }
    if (!block.add(line)) return Infinity;
    if (cost > maxTime) return cost;
  }
  return cost + block.cost();
}

/** What the parser resolves together: a paragraph, a table, or a list or quote with all it contains. */
class Block {
  private marks = 0;
  private items = 0;
  private lines = 0;
  private cells = 0;
  private squares = 0;
  private open = 0;
  private afterBlank = false;
  private rows = noRows;

  /** A list goes on after a blank line, unless text without a mark follows at the first column. */
  isEndedBy(line: string): boolean {
    return this.afterBlank && !blank.test(line) && containers.exec(line)?.[0] === "";
  }

  /** Add a line. Returns whether the nesting is still within its limits. */
  add(line: string): boolean {
    const lead = containers.exec(line)?.[0] ?? "";
    if (depthOf(lead) > maxDepth) return false;
    const content = line.slice(lead.length);
    this.afterBlank = blank.test(line);
    this.lines += 1;
    if (this.afterBlank) this.endParagraph();
    this.open = openAfter(line, this.open);
    this.rows = {
      count: this.rows.count + 1,
      columns: Math.max(this.rows.columns, columnsOf(content)),
      isTable: this.rows.isTable || delimiterRow.test(content),
      words: this.rows.words + (content.match(word)?.length ?? 0),
    };
    this.addMarks(lead, content);
    return this.open <= maxOpen;
  }

  cost(): number {
    this.endParagraph();
    return (
      price.block +
      this.items * price.item +
      this.lines * price.line +
      this.cells * price.cell +
      this.marks * price.mark +
      (this.marks ** 2 + this.squares) * price.markSquared
    );
  }

  private addMarks(lead: string, content: string): void {
    const own = lead.match(containerMark)?.length ?? 0;
    this.items += own;
    this.marks += Math.max(1, own);
    if (underline.test(content)) this.marks += underlineMarks;
    for (const [run] of content.matchAll(inlineMark)) this.marks += marksOf(run);
  }

  /** Add a paragraph's words, and a table's cells as estimated: GFM pads every row to the header's width, and rows may have no pipes. */
  private endParagraph(): void {
    const { count, columns, isTable, words } = this.rows;
    this.squares += (words * wordWeight) ** 2;
    if (isTable) this.cells += count * columns;
    this.rows = noRows;
    this.open = 0;
  }
}

function columnsOf(row: string): number {
  return row.trim().replace(/^\||\|$/g, "").split("|").length;
}

const noRows = { count: 0, columns: 0, isTable: false, words: 0 };

/** Weigh an inline mark. An emphasis mark is 1. */
function marksOf(run: string): number {
  // The end of an HTML comment, or of code in many backticks, may be searched in the whole block.
  if (/^(?:<.|```)/.test(run)) return 10;
  if (run === "]") return 1.5;
  return run === "|" ? 0.3 : 1;
}

function depthOf(lead: string): number {
  const marks = lead.match(containerMark)?.length ?? 0;
  // Two columns of indentation nest a list; a tab counts as four.
  const indent = /^[ \t]*/.exec(lead)?.[0].replaceAll("\t", "    ").length ?? 0;
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
