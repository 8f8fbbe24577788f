import { useSyncExternalStore } from "react";

/** A string in browser storage that components can subscribe to, in this tab and across tabs. */
export function storedValue(key: string, keptFor: "ever" | "tab" = "ever") {
  // A function, because merely accessing storage throws where it is blocked.
  const storage = () => (keptFor === "ever" ? localStorage : sessionStorage);
  const listeners = new Set<() => void>();
  // If storage is blocked or full, the value lasts as long as the page.
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
