"use client";

import { Check } from "lucide-react";
import { useSyncExternalStore } from "react";

type Toast = { id: number; text: string };

const shownFor = 5000;
const none: Toast[] = [];

let toasts = none;
let nextId = 1;
const listeners = new Set<() => void>();

/** Says that something is done. What people must act upon belongs into the page, not here. */
export function toast(text: string): void {
  const id = nextId++;
  publish([...toasts, { id, text }]);
  setTimeout(() => publish(toasts.filter((shown) => shown.id !== id)), shownFor);
}

function publish(next: Toast[]): void {
  toasts = next;
  listeners.forEach((listener) => listener());
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function Toaster() {
  const shown = useSyncExternalStore(subscribe, () => toasts, () => none);
  return (
    <div
      role="status"
      className="pointer-events-none fixed inset-x-4 z-50 flex flex-col items-center gap-2 max-sm:top-16 sm:bottom-4 sm:left-auto sm:items-end"
    >
      {shown.map(({ id, text }) => (
        <p
          key={id}
          className="flex max-w-sm items-center gap-2.5 rounded-lg border bg-raised px-4 py-3 text-sm shadow-lg"
        >
          <Check aria-hidden className="size-4 shrink-0 text-accent" />
          {text}
        </p>
      ))}
    </div>
  );
}
