import type { UsageRow } from "@/api/types";

const columns: [name: string, value: (row: UsageRow) => string | number][] = [
  ["date", (row) => row.date],
  ["api_key_name", (row) => row.api_key_name],
  ["model", (row) => row.model],
  ["via", (row) => row.via],
  ["requests", (row) => row.requests],
  ["refused", (row) => row.refused],
  ["input_tokens", (row) => row.input_tokens],
  ["cached_tokens", (row) => row.cached_tokens],
  ["output_tokens", (row) => row.output_tokens],
  ["reasoning_tokens", (row) => row.reasoning_tokens],
  ["audio_tokens", (row) => row.audio_tokens],
  ["reserved_tokens", (row) => row.reserved.tokens],
  ["cost_usd", (row) => inDollars(row.cost)],
  ["reserved_cost_usd", (row) => inDollars(row.reserved.cost)],
  ["price", (row) => priceOf(row)],
];

export function toCsv(rows: UsageRow[]): string {
  const lines = rows.map((row) => columns.map(([, value]) => cell(value(row))).join(","));
  return [columns.map(([name]) => name).join(","), ...lines, ""].join("\r\n");
}

/** Describe the price that was used as the operator's CSV does: `input=2.5 cached_input=1.25 output=10`. */
function priceOf({ price }: UsageRow): string {
  return Object.entries(price ?? {})
    .flatMap(([name, dollars]) => (dollars === null ? [] : [`${name}=${dollars}`]))
    .join(" ");
}

function inDollars(micro: number): string {
  return (micro / 1_000_000).toFixed(6);
}

function cell(value: string | number): string {
  const text = String(value);
  // Prevent a spreadsheet from running a name that starts like a formula.
  const safe = /^ *[=+\-@\t\r\n＝＋－＠]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
