import type { ReactNode } from "react";

type Props = { embedded: ReactNode; aws?: ReactNode };

/** What holds here, of two things: both are in the page, and one is shown from the first paint on. */
export function ByEnforcer({ embedded, aws }: Props) {
  return (
    <>
      <div className="aws:hidden">{embedded}</div>
      {aws && <div className="hidden aws:block">{aws}</div>}
    </>
  );
}
