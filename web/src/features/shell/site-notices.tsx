"use client";

import { useSite } from "@/api/site";
import * as strings from "@/strings";

/** What is particular about this installation. */
export function SiteNotices() {
  const { data } = useSite();
  const notices = [
    ...(data?.demo ? [strings.demo] : []),
    ...(data?.enforcer === "aws" ? [strings.enforcedByAws] : []),
  ];
  return notices.map(({ title, text }) => (
    <aside key={title} className="border-b bg-surface">
      <p className="mx-auto max-w-6xl px-4 py-2 text-sm text-muted sm:px-6">
        <strong className="font-medium text-foreground">{title}</strong> {text}
      </p>
    </aside>
  ));
}
