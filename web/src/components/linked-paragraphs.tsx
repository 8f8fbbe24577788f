import { Fragment } from "react";
import { paragraphsOf } from "./linked-text";

/** Plain text of the site's operator, with its paragraphs and links. */
export function LinkedParagraphs({ text }: { text: string }) {
  return paragraphsOf(text).map((pieces, index) => (
    <p key={index} className="whitespace-pre-line">
      {pieces.map(({ text: piece, href }, place) =>
        href ? (
          <a
            key={place}
            href={href}
            rel="noopener noreferrer nofollow"
            className="rounded-sm text-accent underline underline-offset-4"
          >
            {piece}
          </a>
        ) : (
          <Fragment key={place}>{piece}</Fragment>
        ),
      )}
    </p>
  ));
}
