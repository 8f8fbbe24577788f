"use client";

import { lazy, Suspense } from "react";

const Markdown = lazy(async () => ({ default: (await loadMarkdown()).Markdown }));

/** Its code weighs a quarter of a page: it comes after the page, and before it there is an answer. */
export function loadMarkdown() {
  return import("./markdown");
}

/** A model's words as markdown; plain in the moment in which nobody can draw it yet. */
export function LazyMarkdown({ text }: { text: string }) {
  return (
    <Suspense fallback={<p className="leading-7 break-words whitespace-pre-wrap">{text}</p>}>
      <Markdown text={text} />
    </Suspense>
  );
}
