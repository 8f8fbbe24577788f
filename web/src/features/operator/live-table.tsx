import clsx from "clsx";
import type { LiveRequest } from "@/api/live";
import { Empty } from "@/components/ui/empty";
import { Cell, Table } from "@/components/ui/table";
import * as strings from "@/strings";
import { formatTime } from "@/time/local-time";

const words = strings.live;
const { columns } = words;
const shown = 50;

type Props = { requests: LiveRequest[]; names: boolean; projector: boolean };

/** The last requests. Without names, neither people nor their keys can be told. */
export function LiveTable({ requests, names, projector }: Props) {
  if (requests.length === 0) return <Empty>{words.none}</Empty>;
  return (
    <Table
      label={words.requests}
      className={clsx(projector ? "max-h-[80vh]" : "max-h-160")}
      columns={[
        { label: columns.time },
        ...(names ? [{ label: columns.who }, { label: columns.key }] : []),
        { label: columns.plan },
        { label: columns.model },
        { label: columns.status },
        { label: columns.outcome },
        { label: columns.tokens, figures: true },
        { label: columns.duration, figures: true },
      ]}
    >
      {requests.slice(0, shown).map((request) => (
        <tr key={request.request_id}>
          <Cell className="tabular-nums">
            <time dateTime={request.at}>{formatTime(request.at)}</time>
          </Cell>
          {names && (
            <>
              <Cell className="max-w-[16em] truncate font-medium">{request.email ?? words.someone}</Cell>
              <Cell className="max-w-[11.5em] truncate text-muted">{request.api_key_name}</Cell>
            </>
          )}
          <Cell className="max-w-[11.5em] truncate text-muted">{request.usage_plan_id}</Cell>
          <Cell className="max-w-[16em] truncate">{request.model}</Cell>
          <Cell className={clsx("tabular-nums", request.status >= 400 && "text-danger")}>{request.status}</Cell>
          <Cell className={clsx(request.reason ? "text-danger" : "text-muted")}>
            {strings.usage.became(request.outcome, request.reason)}
          </Cell>
          <Cell className="text-right! tabular-nums">{request.tokens?.toLocaleString("en")}</Cell>
          <Cell className="text-right! tabular-nums">
            {request.duration_ms !== null && words.seconds(request.duration_ms)}
          </Cell>
        </tr>
      ))}
    </Table>
  );
}
