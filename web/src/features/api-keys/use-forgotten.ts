import { useEffect, useRef } from "react";

/**
 * Load the page again once a secret that was shown no longer is, or its component has gone: React
 * keeps what it rendered last, so only a new page has nothing of it in memory.
 */
export function useForgotten(secret: string | undefined): void {
  const shown = useRef(false);

  useEffect(() => {
    if (shown.current && secret === undefined) reload();
    shown.current = secret !== undefined;
  }, [secret]);

  useEffect(
    () => () => {
      if (shown.current) reload();
    },
    [],
  );
}

/** After the other effects, of which one asks whether the page may be left. */
function reload(): void {
  queueMicrotask(() => window.location.reload());
}
