import type { ReactNode } from "react";

type Props = { embedded: ReactNode; aws?: ReactNode };

/** Render both variants and show one by CSS, so that the first paint is already correct. */
export function ByEnforcer({ embedded, aws }: Props) {
  return (
    <>
      <div className="aws:hidden">{embedded}</div>
      {aws && <div className="hidden aws:block">{aws}</div>}
    </>
  );
}
