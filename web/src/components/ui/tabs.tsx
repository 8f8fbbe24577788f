"use client";

import { Tabs as Base } from "@base-ui/react/tabs";
import type { ReactNode } from "react";

type Props = {
  label: string;
  tabs: { id: string; label: string; content: ReactNode }[];
  /** Stands at the end of the row of tabs. */
  aside?: ReactNode;
};

export function Tabs({ label, tabs, aside }: Props) {
  return (
    <Base.Root defaultValue={tabs[0]?.id}>
      <div className="flex flex-wrap items-center justify-between gap-x-4 border-b px-2">
        <Base.List aria-label={label} className="flex">
          {tabs.map((tab) => (
            <Base.Tab
              key={tab.id}
              value={tab.id}
              className="-mb-px border-b-2 border-transparent px-3 py-2.5 text-sm font-medium text-muted -outline-offset-2 hover:text-foreground data-[active]:border-foreground data-[active]:text-foreground"
            >
              {tab.label}
            </Base.Tab>
          ))}
        </Base.List>
        {aside}
      </div>
      {tabs.map((tab) => (
        <Base.Panel key={tab.id} value={tab.id}>
          {tab.content}
        </Base.Panel>
      ))}
    </Base.Root>
  );
}
