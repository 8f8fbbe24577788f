export type Piece = { text: string; href?: string };

// Only these two schemes, so that no text can become a link that runs something.
const link = /https?:\/\/[^\s<>"]*[^\s<>"'.,;:!?)\]]/g;

/** Split a plain text into paragraphs at blank lines, and these into texts and links. */
export function paragraphsOf(text: string): Piece[][] {
  return text
    .split(/\n\s*\n/)
    .map((paragraph) => paragraph.trim())
    .filter(Boolean)
    .map(piecesOf);
}

function piecesOf(text: string): Piece[] {
  const pieces: Piece[] = [];
  let end = 0;
  for (const { 0: href, index } of text.matchAll(link)) {
    if (index > end) pieces.push({ text: text.slice(end, index) });
    pieces.push({ text: href, href });
    end = index + href.length;
  }
  if (end < text.length) pieces.push({ text: text.slice(end) });
  return pieces;
}
