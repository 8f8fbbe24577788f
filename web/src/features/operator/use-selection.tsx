import { useState } from "react";
import { Checkbox } from "@/components/ui/checkbox";
import * as strings from "@/strings";

const words = strings.operator.selection;

/** A row that can be selected: `name` is shown where it could not be changed. */
export type Item = { id: string; name: string };

/** The selected rows of a table. They stay selected on other pages and in other searches. */
export function useSelection() {
  const [selected, setSelected] = useState<ReadonlyMap<string, Item>>(new Map());

  function set(items: Item[], on: boolean) {
    const next = new Map(selected);
    for (const item of items) {
      if (on) next.set(item.id, item);
      else next.delete(item.id);
    }
    setSelected(next);
  }

  const box = (item: Item) => (
    <Checkbox
      aria-label={words.select(item.name)}
      checked={selected.has(item.id)}
      onChange={(event) => set([item], event.target.checked)}
    />
  );

  function allBox(items: Item[]) {
    const count = items.filter(({ id }) => selected.has(id)).length;
    return (
      <Checkbox
        aria-label={words.selectAll}
        checked={items.length > 0 && count === items.length}
        indeterminate={count > 0 && count < items.length}
        onChange={(event) => set(items, event.target.checked)}
      />
    );
  }

  return {
    items: [...selected.values()],
    /** Keep only these selected. */
    keep: (ids: string[]) => setSelected(new Map([...selected].filter(([id]) => ids.includes(id)))),
    box,
    allBox,
  };
}
