"use client";

import { useAuditLog } from "@/api/operator";
import { Empty } from "@/components/ui/empty";
import { Table } from "@/components/ui/table";
import * as strings from "@/strings";
import { useNow } from "@/time/use-now";
import { AuditRow } from "./audit-row";
import { Loaded } from "./loaded";
import { Pager } from "./pager";
import { SearchBox } from "./search-box";
import { useTableState } from "./use-table-state";

const words = strings.operator.audit;
const { columns } = words;
const sortable = { at: "desc", actor_email: "asc", action: "asc", subject: "asc" } as const;

export function AuditPage() {
  const { state, search, turn, sorting } = useTableState(sortable, "at");
  const log = useAuditLog(state);
  const now = useNow() ?? 0;
  return (
    <>
      <SearchBox placeholder={words.placeholder} value={state.search} onSearch={search} />
      <Loaded query={log} skeleton="h-96">
        {(entries) => (
          <>
            {entries.length === 0 ? (
              <Empty>{state.search ? strings.operator.nothing : words.empty}</Empty>
            ) : (
              <Table
                label={strings.operator.pages.audit}
                sorting={sorting}
                columns={[
                  { label: columns.at, sort: "at" },
                  { label: columns.actor, sort: "actor_email" },
                  { label: columns.action, sort: "action" },
                  { label: columns.subject, sort: "subject" },
                  { label: columns.detail },
                ]}
              >
                {entries.map((entry) => (
                  <AuditRow key={entry.id} entry={entry} now={now} linked />
                ))}
              </Table>
            )}
            <Pager offset={state.offset} shown={entries.length} onTurn={turn} />
          </>
        )}
      </Loaded>
    </>
  );
}
