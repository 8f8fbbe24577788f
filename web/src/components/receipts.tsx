import type { RecentRequest } from "@/api/types";
import { Empty } from "@/components/ui/empty";
import { Cell, Figure, Table } from "@/components/ui/table";
import * as strings from "@/strings";
import { formatInstant } from "@/time/local-time";
import { useNow } from "@/time/use-now";

const words = strings.usage;
const { requestColumns: columns } = words;

/** List how each request was counted. */
export function Receipts({ receipts }: { receipts: RecentRequest[] }) {
  const now = useNow();
  if (receipts.length === 0) return <Empty>{words.noRequests}</Empty>;
  return (
    <Table
      label={words.requestsTable}
      className="max-h-96"
      columns={[
        { label: columns.time },
        { label: columns.key },
        { label: columns.model },
        { label: columns.outcome },
        { label: columns.status, figures: true },
        { label: columns.reserved, figures: true },
        { label: columns.settled, figures: true },
        { label: columns.remaining, figures: true },
        { label: columns.id },
      ]}
    >
      {receipts.map((receipt) => (
        <tr key={receipt.request_id}>
          <Cell>
            <time dateTime={receipt.at}>{now === null ? "" : formatInstant(receipt.at, now)}</time>
          </Cell>
          <Cell className="max-w-48 truncate">
            {receipt.api_key_name} · {words.via[receipt.via] ?? receipt.via}
          </Cell>
          <Cell className="max-w-48 truncate font-mono text-xs">{receipt.model}</Cell>
          <Cell>{words.became(receipt.outcome, receipt.reason)}</Cell>
          <Figure>{receipt.status}</Figure>
          <Figure>{amountsOf(receipt.reserved)}</Figure>
          <Figure>{amountsOf(receipt.settled)}</Figure>
          <Figure>{receipt.remaining ?? ""}</Figure>
          <Cell className="font-mono text-xs">{receipt.request_id}</Cell>
        </tr>
      ))}
    </Table>
  );
}

/** Format tokens and cost. Requests are not shown: each receipt is for one. */
function amountsOf(amounts: RecentRequest["reserved"]): string {
  return amounts ? words.amounts(amounts.tokens, amounts.cost) : "";
}
