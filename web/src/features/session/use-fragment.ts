import { useSyncExternalStore } from "react";
import { useHydrated } from "@/browser/use-hydrated";

/**
 * What a link carries behind its `#`, by name. Browsers send the fragment to nobody, so the token in
 * it is in no server's log. Null until it is known.
 */
export function useFragment(name: string): string | null {
  const hydrated = useHydrated();
  // A second link that is opened in the same tab changes the fragment and loads nothing.
  const fragment = useSyncExternalStore(subscribe, () => window.location.hash, () => "");
  if (!hydrated) return null;
  return new URLSearchParams(fragment.slice(1)).get(name) ?? "";
}

function subscribe(onChange: () => void): () => void {
  window.addEventListener("hashchange", onChange);
  return () => window.removeEventListener("hashchange", onChange);
}
