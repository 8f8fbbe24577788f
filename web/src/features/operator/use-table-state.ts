import { usePathname, useSearchParams } from "next/navigation";
import { useCallback, useMemo } from "react";
import { pageSize } from "@/api/operator";
import { readState, resort, writeState, type Order, type TableState } from "./table-state";

/**
 * A table's search, order and page, kept in the address. `columns` maps each sortable column to the
 * direction that its first click gives.
 */
export function useTableState<Column extends string>(columns: Record<Column, Order>, initial: Column) {
  const query = useSearchParams();
  const here = usePathname();
  const state = useMemo(
    () => readState(new URLSearchParams(query), columns, initial, pageSize),
    [query, columns, initial],
  );

  const go = useCallback(
    (change: Partial<TableState<Column>>, entry: "pushState" | "replaceState" = "pushState") => {
      const next = writeState(
        new URLSearchParams(query),
        { ...state, ...change },
        columns,
        initial,
        pageSize,
      );
      window.history[entry](null, "", here + next);
    },
    [query, here, state, columns, initial],
  );

  const search = useCallback(
    // While somebody types, the back button leads to before the search.
    (text: string) => go({ search: text, offset: 0 }, state.search && text ? "replaceState" : "pushState"),
    [go, state.search],
  );
  const turn = useCallback((offset: number) => go({ offset }), [go]);
  const sort = (column: Column) => go({ ...resort(state, column, columns), offset: 0 });

  return { state, search, turn, sorting: { by: state.sort, order: state.order, onSort: sort } };
}

/** A choice between tables, kept in the address. Another choice starts with that table's own order. */
export function useTableChoice<Value extends string>(name: string, choices: Record<Value, unknown>, initial: Value) {
  const query = useSearchParams();
  const here = usePathname();
  const named = query.get(name);
  const choice = named !== null && Object.hasOwn(choices, named) ? (named as Value) : initial;
  const choose = (value: Value) =>
    window.history.pushState(null, "", value === initial ? here : `${here}?${name}=${value}`);
  return [choice, choose] as const;
}
