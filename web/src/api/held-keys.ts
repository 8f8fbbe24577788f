import { useSyncExternalStore } from "react";

/** A key itself and the address that takes it, for a chat that no session can pay for. */
export type HeldKey = { key: string; baseUrl: string };

// In memory alone: gone with the page, and in nobody's storage.
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
