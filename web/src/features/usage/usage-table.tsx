import type { UsageRow } from "@/api/types";
import { Cell, Figure, Table } from "@/components/ui/table";
import * as strings from "@/strings";
import { formatUtcDate } from "@/time/local-time";

const words = strings.usage;
const { columns } = words;

export function UsageTable({ rows }: { rows: UsageRow[] }) {
  return (
    <Table
      label={words.table}
      className="max-h-128"
      columns={[
        ...[columns.date, columns.key, columns.model, columns.via].map((label) => ({ label })),
        ...[
          columns.requests,
          columns.refused,
          columns.input,
          columns.cached,
          columns.output,
          columns.reasoning,
          columns.audio,
          columns.cost,
          columns.reserved,
        ].map((label) => ({ label, figures: true })),
      ]}
    >
      {rows.map((row) => (
        <tr key={`${row.date} ${row.api_key_id} ${row.model} ${row.via}`}>
          <Cell>{formatUtcDate(row.date)}</Cell>
          <Cell className="max-w-48 truncate">{row.api_key_name}</Cell>
          <Cell className="max-w-48 truncate font-mono text-xs">{row.model}</Cell>
          <Cell>{words.via[row.via] ?? row.via}</Cell>
          <Figure>{row.requests}</Figure>
          <Figure>{row.refused}</Figure>
          <Figure>{row.input_tokens}</Figure>
          <Figure>{row.cached_tokens}</Figure>
          <Figure>{row.output_tokens}</Figure>
          <Figure>{row.reasoning_tokens}</Figure>
          <Figure>{row.audio_tokens}</Figure>
          <Figure>{strings.figure("cost", row.cost)}</Figure>
          <Figure>{words.amounts(row.reserved.tokens, row.reserved.cost)}</Figure>
        </tr>
      ))}
    </Table>
  );
}
