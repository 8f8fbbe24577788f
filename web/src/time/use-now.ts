import { useSyncExternalStore } from "react";
import { serverNow } from "./clock";

const listeners = new Set<() => void>();
let now = 0;
let timer: ReturnType<typeof setInterval> | undefined;

// One timer for the page, so that all countdowns tick together.
function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  if (timer === undefined) {
    now = serverNow();
    timer = setInterval(() => {
      now = serverNow();
      listeners.forEach((notify) => notify());
    }, 1000);
  }
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

function snapshot(): number {
  if (now === 0) now = serverNow();
  return now;
}

/** Return the server's time, updated every second. Null until the page has hydrated. */
export function useNow(): number | null {
  return useSyncExternalStore(subscribe, snapshot, () => null);
}
