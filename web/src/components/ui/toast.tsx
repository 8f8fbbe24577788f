"use client";

import { Check, CircleAlert } from "lucide-react";
import { useSyncExternalStore } from "react";

type Tone = "good" | "danger";
type Toast = { id: number; text: string; tone: Tone };

const shownFor = { good: 5000, danger: 10_000 };
const none: Toast[] = [];

let toasts = none;
let nextId = 1;
const listeners = new Set<() => void>();

/** Show a brief message about an outcome. Anything that needs action belongs on the page. */
export function toast(text: string, tone: Tone = "good"): void {
  const id = nextId++;
  publish([...toasts, { id, text, tone }]);
  setTimeout(() => publish(toasts.filter((shown) => shown.id !== id)), shownFor[tone]);
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
      {shown.map(({ id, text, tone }) => (
        <p
          key={id}
          className="flex max-w-sm items-center gap-2.5 rounded-lg border bg-raised px-4 py-3 text-sm shadow-lg"
        >
          {tone === "good" ? (
            <Check aria-hidden className="size-4 shrink-0 text-accent" />
          ) : (
            <CircleAlert aria-hidden className="size-4 shrink-0 text-danger" />
          )}
          <span className="line-clamp-6 min-w-0">{text}</span>
        </p>
      ))}
    </div>
  );
}
