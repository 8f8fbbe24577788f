import { useEffect, useRef } from "react";

/**
 * Reload the page once a secret is no longer shown, or its component unmounts: React retains its
 * last render, so only a reload clears it from memory.
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

/** Run after the other effects, one of which asks before leaving the page. */
function reload(): void {
  queueMicrotask(() => window.location.reload());
}
