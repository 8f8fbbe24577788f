import type { SiteUsage } from "@/api/types";

export type Spend = {
  name: string;
  /** Of a person. */
  account_id?: string;
  requests: number;
  refused: number;
  tokens: number;
  cost: number;
};

type Row = SiteUsage["days"][number];

/** Sum usage by a column, in the order in which its values first appear. */
export function spendBy(rows: Row[], column: "date" | "model"): Spend[] {
  const byName = new Map<string, Spend>();
  for (const row of rows) {
    const name = row[column];
    const sum = byName.get(name) ?? { name, requests: 0, refused: 0, tokens: 0, cost: 0 };
    byName.set(name, sum);
    sum.requests += row.requests;
    sum.refused += row.refused;
    sum.tokens += row.input_tokens + row.output_tokens;
    sum.cost += row.cost;
  }
  return [...byName.values()];
}
