"use client";

import { useSite } from "@/api/site";
import * as strings from "@/strings";

export function DemoNotice() {
  const { data } = useSite();
  if (!data?.demo) return null;
  return (
    <aside className="border-b bg-surface">
      <p className="mx-auto max-w-6xl px-4 py-2 text-sm text-muted sm:px-6">
        <strong className="font-medium text-foreground">{strings.demo.title}</strong>{" "}
        {strings.demo.text}
      </p>
    </aside>
  );
}
