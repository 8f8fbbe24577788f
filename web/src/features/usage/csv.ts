import type { UsageRow } from "@/api/types";

const columns = [
  "date",
  "api_key_name",
  "model",
  "via",
  "requests",
  "refused",
  "input_tokens",
  "output_tokens",
] as const;

export function toCsv(rows: UsageRow[]): string {
  const lines = rows.map((row) => columns.map((column) => cell(row[column])).join(","));
  return [columns.join(","), ...lines, ""].join("\r\n");
}

function cell(value: string | number): string {
  const text = String(value);
  // Prevent a spreadsheet from running a name that starts like a formula.
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
