import type { UsageRow } from "@/api/types";
import * as strings from "@/strings";
import { formatUtcDate } from "@/time/local-time";

const words = strings.usage;
const { columns } = words;
const figure = "px-4 py-2.5 text-right tabular-nums";
const label = "px-4 py-2.5 text-left";

export function UsageTable({ rows }: { rows: UsageRow[] }) {
  return (
    <div
      role="region"
      aria-label={words.table}
      tabIndex={0}
      className="overflow-x-auto rounded-xl border bg-raised"
    >
      <table className="w-full text-sm whitespace-nowrap">
        <thead className="text-muted">
          <tr className="border-b">
            {[columns.date, columns.key, columns.model, columns.via].map((name) => (
              <th key={name} scope="col" className={`${label} font-medium`}>
                {name}
              </th>
            ))}
            {[columns.requests, columns.refused, columns.input, columns.output].map((name) => (
              <th key={name} scope="col" className={`${figure} font-medium`}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody className="divide-y">
          {rows.map((row) => (
            <tr key={`${row.date} ${row.api_key_id} ${row.model} ${row.via}`}>
              <td className={label}>{formatUtcDate(row.date)}</td>
              <td className={`${label} max-w-48 truncate`}>{row.api_key_name}</td>
              <td className={`${label} max-w-48 truncate font-mono text-xs`}>{row.model}</td>
              <td className={label}>{words.via[row.via] ?? row.via}</td>
              <td className={figure}>{row.requests.toLocaleString("en")}</td>
              <td className={figure}>{row.refused.toLocaleString("en")}</td>
              <td className={figure}>{row.input_tokens.toLocaleString("en")}</td>
              <td className={figure}>{row.output_tokens.toLocaleString("en")}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
