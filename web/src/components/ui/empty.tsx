import type { ReactNode } from "react";

/** Stands where a list would, and says what will be in it. */
export function Empty({ children }: { children: ReactNode }) {
  return (
    <p className="rounded-xl border border-dashed p-8 text-center text-sm text-muted">{children}</p>
  );
}
