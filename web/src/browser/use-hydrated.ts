import { useSyncExternalStore } from "react";

const never = () => () => {};

/** Return false in the exported HTML and during hydration. Browser-dependent content must wait. */
export function useHydrated(): boolean {
  return useSyncExternalStore(
    never,
    () => true,
    () => false,
  );
}
