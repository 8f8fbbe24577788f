import { useSyncExternalStore } from "react";
import { useHydrated } from "./use-hydrated";

/**
 * Return the parameters of the URL fragment by name. Browsers do not send the fragment, so the token
 * reaches no server log. Null until known; empty without a fragment.
 */
export function useFragment(name: string): string | null {
  const hydrated = useHydrated();
  // A second link opened in the same tab changes the fragment without loading the page.
  const fragment = useSyncExternalStore(subscribe, () => window.location.hash, () => "");
  return hydrated ? (new URLSearchParams(fragment.slice(1)).get(name) ?? "") : null;
}

function subscribe(onChange: () => void): () => void {
  window.addEventListener("hashchange", onChange);
  return () => window.removeEventListener("hashchange", onChange);
}
