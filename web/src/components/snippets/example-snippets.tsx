"use client";

import { lazy, Suspense } from "react";

// Part of the exported HTML. The code for its tabs loads last.
const SnippetTabs = lazy(() => import("./snippet-tabs"));

/** Show how to call the API, for visitors without a key. */
export function ExampleSnippets() {
  return (
    <div className="overflow-hidden rounded-xl border bg-raised">
      <Suspense>
        <SnippetTabs />
      </Suspense>
    </div>
  );
}
