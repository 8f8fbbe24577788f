export type Order = "asc" | "desc";
export type Sorting<Column extends string> = { sort: Column; order: Order };
export type TableState<Column extends string> = Sorting<Column> & { search: string; offset: number };

type Columns<Column extends string> = Record<Column, Order>;

/** Read a table's state from the address. Anything invalid counts as the default. */
export function readState<Column extends string>(
  query: URLSearchParams,
  columns: Columns<Column>,
  initial: Column,
  pageSize: number,
): TableState<Column> {
  const named = query.get("sort");
  const sort = named !== null && Object.hasOwn(columns, named) ? (named as Column) : initial;
  const order = query.get("order");
  const page = Number(query.get("page") ?? 1);
  return {
    search: query.get("search") ?? "",
    sort,
    order: order === "asc" || order === "desc" ? order : columns[sort],
    offset: Number.isInteger(page) && page > 1 && page <= 10_000 ? (page - 1) * pageSize : 0,
  };
}

/** Return the query of an address with this state. Defaults are left out, other parameters kept. */
export function writeState<Column extends string>(
  query: URLSearchParams,
  state: TableState<Column>,
  columns: Columns<Column>,
  initial: Column,
  pageSize: number,
): string {
  const next = new URLSearchParams(query);
  const set = (name: string, value: string, isDefault: boolean) =>
    isDefault ? next.delete(name) : next.set(name, value);
  set("search", state.search, state.search === "");
  set("sort", state.sort, state.sort === initial);
  set("order", state.order, state.order === columns[state.sort]);
  set("page", String(state.offset / pageSize + 1), state.offset === 0);
  return next.size > 0 ? `?${next}` : "";
}

/** Sort by a column, or reverse the order if it is the one already. */
export function resort<Column extends string>(
  { sort, order }: Sorting<Column>,
  column: Column,
  columns: Columns<Column>,
): Sorting<Column> {
  if (column !== sort) return { sort: column, order: columns[column] };
  return { sort, order: order === "asc" ? "desc" : "asc" };
}

/** Return rows in order. Equal rows keep their places; null counts as the smallest value. */
export function sorted<Row>(
  rows: readonly Row[],
  value: (row: Row) => string | number | null,
  order: Order,
): Row[] {
  const sign = order === "asc" ? 1 : -1;
  return [...rows].sort((a, b) => sign * compare(value(a), value(b)));
}

function compare(a: string | number | null, b: string | number | null): number {
  if (a === null || b === null) return Number(b === null) - Number(a === null);
  if (typeof a === "number" && typeof b === "number") return a - b;
  return String(a).localeCompare(String(b), "en", { numeric: true });
}
