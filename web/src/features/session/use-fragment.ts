import { useHydrated } from "@/browser/use-hydrated";

/**
 * What a link carries behind its `#`, by name. Browsers send the fragment to nobody, so the token in
 * it is in no server's log. Null until it is known.
 */
export function useFragment(name: string): string | null {
  const hydrated = useHydrated();
  if (!hydrated) return null;
  return new URLSearchParams(window.location.hash.slice(1)).get(name) ?? "";
}
