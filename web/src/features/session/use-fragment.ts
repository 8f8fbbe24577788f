import { useSyncExternalStore } from "react";
import { useHydrated } from "@/browser/use-hydrated";

/**
 * What a link carries behind its `#`. Browsers send the fragment to no server, so the token in it is
 * in no server's log. Null until it is known.
 */
export function useWholeFragment(): string | null {
  const hydrated = useHydrated();
  // A second link that is opened in the same tab changes the fragment and loads nothing.
  const fragment = useSyncExternalStore(subscribe, () => window.location.hash, () => "");
  return hydrated ? fragment.slice(1) : null;
}

/** One value of a fragment that holds several, by name. */
export function useFragment(name: string): string | null {
  const fragment = useWholeFragment();
  return fragment === null ? null : (new URLSearchParams(fragment).get(name) ?? "");
}

function subscribe(onChange: () => void): () => void {
  window.addEventListener("hashchange", onChange);
  return () => window.removeEventListener("hashchange", onChange);
}
