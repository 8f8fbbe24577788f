import type { UsageRow } from "@/api/types";

export type Day = { date: string; requests: number; refused: number };

const dayLength = 86_400_000;

/** The last days in order, the empty ones too: a gap in use should look like one. */
export function byDay(rows: UsageRow[], days: number, now: number): Day[] {
  const byDate = new Map<string, Day>();
  for (let back = days - 1; back >= 0; back--) {
    const date = new Date(now - back * dayLength).toISOString().slice(0, 10);
    byDate.set(date, { date, requests: 0, refused: 0 });
  }
  for (const { date, requests, refused } of rows) {
    const day = byDate.get(date);
    if (!day) continue;
    day.requests += requests;
    day.refused += refused;
  }
  return [...byDate.values()];
}

export function totalOf(days: Day[]): { requests: number; refused: number } {
  return {
    requests: days.reduce((sum, day) => sum + day.requests, 0),
    refused: days.reduce((sum, day) => sum + day.refused, 0),
  };
}

/** Newest first; within a day by key. */
export function newestFirst(rows: UsageRow[]): UsageRow[] {
  return [...rows].sort(
    (a, b) => b.date.localeCompare(a.date) || a.api_key_name.localeCompare(b.api_key_name),
  );
}
