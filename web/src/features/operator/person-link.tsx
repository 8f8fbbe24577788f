import Link from "next/link";
import type { ReactNode } from "react";

/** Link to a person's page. */
export function PersonLink({ id, children }: { id: string; children: ReactNode }) {
  return (
    <Link
      href={`/operator/person/?id=${encodeURIComponent(id)}`}
      prefetch={false}
      className="rounded-sm underline decoration-line-strong underline-offset-4 hover:decoration-current"
    >
      {children}
    </Link>
  );
}
