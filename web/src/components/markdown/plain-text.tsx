"use client";

import { useState } from "react";
import { Button } from "@/components/ui/button";
import * as strings from "@/strings";

const step = 20_000;
const styles = "leading-7 wrap-anywhere whitespace-pre-wrap [content-visibility:auto]";

/** Show text as sent, in bounded pieces: laying out a megabyte at once blocks the page. */
export function PlainText({ text, note }: { text: string; note?: string }) {
  const [pieces, setPieces] = useState(1);
  const shown = Array.from({ length: pieces }, (_, piece) =>
    text.slice(piece * step, (piece + 1) * step),
  );
  return (
    <>
      {note && <p className="mb-2 text-sm text-muted">{note}</p>}
      {shown.map((piece, index) => (
        <p key={index} className={styles}>
          {piece}
        </p>
      ))}
      {text.length > pieces * step && (
        <Button variant="ghost" onClick={() => setPieces(pieces + 1)}>
          {strings.chat.showMore}
        </Button>
      )}
    </>
  );
}
