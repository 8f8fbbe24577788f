import { Fragment } from "react";

/** Render text with `code` in it, as the strings and the portal's document write it. */
export function Prose({ text }: { text: string }) {
  return text.split("`").map((piece, index) =>
    index % 2 === 0 ? (
      <Fragment key={index}>{piece}</Fragment>
    ) : (
      <code key={index} className="rounded bg-track/60 px-1 py-0.5 font-mono text-[0.875em] break-words">
        {piece}
      </code>
    ),
  );
}
