import { useSyncExternalStore } from "react";

/** A key's secret and its base URL, for chat where a session is not enough. */
export type HeldKey = { key: string; baseUrl: string };

// Held in memory only: gone when the page unloads, and never stored.
const held = new Map<string, HeldKey>();
const listeners = new Set<() => void>();

export function holdKey(id: string, key: HeldKey): void {
  held.set(id, key);
  for (const tell of listeners) tell();
}

export function dropHeldKeys(): void {
  held.clear();
  for (const tell of listeners) tell();
}

export function heldKey(id: string): HeldKey | undefined {
  return held.get(id);
}

export function useHeldKey(id: string): HeldKey | undefined {
  return useSyncExternalStore(
    (tell) => {
      listeners.add(tell);
      return () => listeners.delete(tell);
    },
    () => held.get(id),
    () => undefined,
  );
}
