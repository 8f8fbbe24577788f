"use client";

import clsx from "clsx";
import { useId, useRef, useState, type KeyboardEvent, type ReactNode } from "react";

type Props = {
  label: string;
  tabs: { id: string; label: string; content: ReactNode }[];
  /** Rendered at the end of the tab list. */
  aside?: ReactNode;
};

export function Tabs({ label, tabs, aside }: Props) {
  const baseId = useId();
  const [activeId, setActiveId] = useState(tabs[0]?.id);
  const list = useRef<HTMLDivElement>(null);
  const activeIndex = tabs.findIndex(({ id }) => id === activeId);

  function move(event: KeyboardEvent) {
    const index = targetOf(event.key, activeIndex, tabs.length);
    const next = index === null ? undefined : tabs[index];
    if (!next) return;
    event.preventDefault();
    setActiveId(next.id);
    list.current?.querySelector<HTMLElement>(`[data-tab="${next.id}"]`)?.focus();
  }

  return (
    <div>
      <div className="flex flex-wrap items-center justify-between gap-x-4 border-b px-2">
        <div ref={list} role="tablist" aria-label={label} onKeyDown={move} className="flex">
          {tabs.map((tab) => {
            const active = tab.id === activeId;
            return (
              <button
                key={tab.id}
                type="button"
                role="tab"
                id={`${baseId}-${tab.id}`}
                data-tab={tab.id}
                aria-selected={active}
                aria-controls={active ? `${baseId}-panel` : undefined}
                tabIndex={active ? 0 : -1}
                onClick={() => setActiveId(tab.id)}
                className={clsx(
                  "-mb-px border-b-2 px-2 py-2.5 text-sm font-medium whitespace-nowrap -outline-offset-2 sm:px-3",
                  active ? "border-foreground" : "border-transparent text-muted hover:text-foreground",
                )}
              >
                {tab.label}
              </button>
            );
          })}
        </div>
        {aside}
      </div>
      <div role="tabpanel" id={`${baseId}-panel`} aria-labelledby={`${baseId}-${activeId}`}>
        {tabs[activeIndex]?.content}
      </div>
    </div>
  );
}

function targetOf(key: string, from: number, count: number): number | null {
  if (key === "ArrowRight") return (from + 1) % count;
  if (key === "ArrowLeft") return (from - 1 + count) % count;
  if (key === "Home") return 0;
  if (key === "End") return count - 1;
  return null;
}
