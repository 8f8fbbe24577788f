"use client";

import { lazy, Suspense } from "react";

// In the exported HTML already: the code that turns its tabs comes after everything else.
const SnippetTabs = lazy(() => import("./snippet-tabs"));

/** What calling the API looks like, for people who have no key yet. */
export function ExampleSnippets() {
  return (
    <div className="overflow-hidden rounded-xl border bg-raised">
      <Suspense>
        <SnippetTabs />
      </Suspense>
    </div>
  );
}
