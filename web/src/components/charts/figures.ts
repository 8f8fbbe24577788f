import type { Measure } from "@/api/types";

export type Counts = {
  date: string;
  requests: number;
  refused: number;
  input_tokens: number;
  output_tokens: number;
  /** Micro-dollars. */
  cost: number;
  reserved: { tokens: number; cost: number };
};

/** One series of bars, with a value for each day. */
export type Series = Named & { kind: "part" | "others" | "refused"; values: number[]; total: number };

/** Unique, unlike the name: two keys may share one. */
export type Named = { id: string; name: string };

export type Stack = { measure: Measure; dates: string[]; series: Series[]; top: number };

const dayLength = 86_400_000;
const named = 5;

/** Return the last UTC days in order, including empty ones so that gaps are visible. */
export function lastDays(days: number, now: number): string[] {
  return Array.from({ length: days }, (_, index) =>
    new Date(now - (days - 1 - index) * dayLength).toISOString().slice(0, 10),
  );
}

/**
 * Return each day's bars: the largest series separately, the others combined, and on top the
 * refused requests if requests are counted.
 */
export function stackOf<Row extends Counts>(
  rows: Row[],
  dates: string[],
  partOf: (row: Row) => Named,
  measure: Measure,
): Stack {
  const place = new Map(dates.map((date, index) => [date, index]));
  const byId = new Map<string, Series>();
  const others = seriesOf({ id: "others", name: "" }, "others", dates);
  const refused = seriesOf({ id: "refused", name: "" }, "refused", dates);
  for (const row of rows) {
    const day = place.get(row.date);
    if (day === undefined) continue;
    const part = partOf(row);
    const series = byId.get(part.id) ?? seriesOf(part, "part", dates);
    byId.set(part.id, series);
    add(series, day, amountOf(row, measure));
    add(refused, day, measure === "requests" ? row.refused : 0);
  }
  const parts = [...byId.values()]
    .filter(({ total }) => total > 0)
    .sort((a, b) => b.total - a.total || a.name.localeCompare(b.name));
  for (const small of parts.slice(named)) small.values.forEach((value, day) => add(others, day, value));
  const series = [...parts.slice(0, named), others, refused].filter(({ total }) => total > 0);
  const heights = dates.map((_, day) => series.reduce((sum, { values }) => sum + values[day]!, 0));
  return { measure, dates, series, top: Math.max(1, ...heights) };
}

/** Sort newest first, then by key. */
export function newestFirst<Row extends { date: string; api_key_name: string }>(rows: Row[]): Row[] {
  return [...rows].sort(
    (a, b) => b.date.localeCompare(a.date) || a.api_key_name.localeCompare(b.api_key_name),
  );
}

export function totalsOf(rows: Counts[]) {
  const sum = (value: (row: Counts) => number) => rows.reduce((total, row) => total + value(row), 0);
  return {
    requests: sum((row) => row.requests),
    refused: sum((row) => row.refused),
    input: sum((row) => row.input_tokens),
    output: sum((row) => row.output_tokens),
    cost: sum((row) => row.cost),
    reservedTokens: sum((row) => row.reserved.tokens),
    reservedCost: sum((row) => row.reserved.cost),
  };
}

function amountOf(row: Counts, measure: Measure): number {
  if (measure === "tokens") return row.input_tokens + row.output_tokens;
  return measure === "cost" ? row.cost : row.requests;
}

function seriesOf(named: Named, kind: Series["kind"], dates: string[]): Series {
  return { ...named, kind, values: dates.map(() => 0), total: 0 };
}

function add(series: Series, day: number, value: number): void {
  series.values[day]! += value;
  series.total += value;
}
