import { useSyncExternalStore } from "react";

/** One string in this browser's storage that components can watch, in this tab and from others. */
export function storedValue(key: string, keptFor: "ever" | "tab" = "ever") {
  // Only named here: the mere access throws where storage is forbidden.
  const storage = () => (keptFor === "ever" ? localStorage : sessionStorage);
  const listeners = new Set<() => void>();
  // Storage may be forbidden or full; the value then lasts as long as the page.
  let unstored: string | null = null;

  function get(): string | null {
    try {
      return unstored ?? storage().getItem(key);
    } catch {
      return unstored;
    }
  }

  function set(value: string | null): void {
    unstored = null;
    try {
      if (value === null) storage().removeItem(key);
      else storage().setItem(key, value);
    } catch {
      unstored = value;
    }
    listeners.forEach((listener) => listener());
  }

  function subscribe(listener: () => void): () => void {
    const onStorage = (event: StorageEvent) => {
      if (event.key === key || event.key === null) listener();
    };
    listeners.add(listener);
    window.addEventListener("storage", onStorage);
    return () => {
      listeners.delete(listener);
      window.removeEventListener("storage", onStorage);
    };
  }

  function useValue(): string | null {
    return useSyncExternalStore(subscribe, get, () => null);
  }

  return { get, set, useValue };
}
