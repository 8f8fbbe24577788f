import { useSyncExternalStore } from "react";

const never = () => () => {};

/** False in the exported HTML and during hydration: what depends on this browser must wait for it. */
export function useHydrated(): boolean {
  return useSyncExternalStore(
    never,
    () => true,
    () => false,
  );
}
