import type { ReactNode } from "react";

/** A placeholder for an empty list that says what will appear in it. */
export function Empty({ children }: { children: ReactNode }) {
  return (
    <p className="rounded-xl border border-dashed p-8 text-center text-sm text-muted">{children}</p>
  );
}
