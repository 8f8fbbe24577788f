import { useSyncExternalStore } from "react";
import { useHydrated } from "./use-hydrated";

/**
 * What a link carries behind its `#`, by name. Browsers send the fragment to no server, so the token in
 * it is in no server's log. Null until it is known; empty without one.
 */
export function useFragment(name: string): string | null {
  const hydrated = useHydrated();
  // A second link that is opened in the same tab changes the fragment and loads nothing.
  const fragment = useSyncExternalStore(subscribe, () => window.location.hash, () => "");
  return hydrated ? (new URLSearchParams(fragment.slice(1)).get(name) ?? "") : null;
}

function subscribe(onChange: () => void): () => void {
  window.addEventListener("hashchange", onChange);
  return () => window.removeEventListener("hashchange", onChange);
}
