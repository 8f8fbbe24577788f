"use client";

import { Component, lazy, Suspense, type ReactNode } from "react";
import * as strings from "@/strings";
import { isDrawable } from "./drawable";
import { PlainText } from "./plain-text";

const Markdown = lazy(async () => ({ default: (await loadMarkdown()).Markdown }));

/** Load the markdown renderer, which is too large for the page's first load. */
export function loadMarkdown() {
  return import("./markdown");
}

/** A model's answer as markdown, or as plain text when it is too deep or too large to draw. */
export function LazyMarkdown({ text }: { text: string }) {
  if (!isDrawable(text)) return <PlainText text={text} note={strings.chat.shownPlain} />;
  return (
    <DrawingBoundary fallback={<PlainText text={text} note={strings.chat.shownPlain} />}>
      <Suspense fallback={<PlainText text={text} />}>
        <Markdown text={text} />
      </Suspense>
    </DrawingBoundary>
  );
}

/** Keep an answer that fails to draw from taking the rest of the page with it. */
class DrawingBoundary extends Component<{ fallback: ReactNode; children: ReactNode }> {
  override state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  override render() {
    return this.state.failed ? this.props.fallback : this.props.children;
  }
}
