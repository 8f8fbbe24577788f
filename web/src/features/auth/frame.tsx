import type { ReactNode } from "react";
import { Logo } from "@/components/logo";

/** The narrow column used by sign-in and similar pages. */
export function Frame({ title, text, children }: { title: string; text?: string; children: ReactNode }) {
  return (
    <div className="mx-auto w-full max-w-sm px-4 py-16 sm:py-24">
      <Logo className="h-10" />
      <h1 className="mt-6 text-2xl font-semibold tracking-tight">{title}</h1>
      {text && <p className="mt-2 text-muted">{text}</p>}
      <div className="mt-8 space-y-6">{children}</div>
    </div>
  );
}
