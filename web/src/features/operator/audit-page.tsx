"use client";

import { useAuditLog } from "@/api/operator";
import { Empty } from "@/components/ui/empty";
import { Cell, Table } from "@/components/ui/table";
import * as strings from "@/strings";
import { formatInstant } from "@/time/local-time";
import { useNow } from "@/time/use-now";
import { Loaded } from "./loaded";
import { Pager } from "./pager";
import { SearchBox } from "./search-box";
import { usePage } from "./use-page";

const words = strings.operator.audit;
const { columns } = words;

export function AuditPage() {
  const { page, search, turn } = usePage();
  const log = useAuditLog(page);
  const now = useNow() ?? 0;
  return (
    <>
      <SearchBox placeholder={words.placeholder} onSearch={search} />
      <Loaded query={log} skeleton="h-96">
        {(entries) => (
          <>
            {entries.length === 0 ? (
              <Empty>{page.search ? strings.operator.nothing : words.empty}</Empty>
            ) : (
              <Table
                label={strings.operator.pages.audit}
                columns={[columns.at, columns.actor, columns.action, columns.subject, columns.detail].map(
                  (label) => ({ label }),
                )}
              >
                {entries.map((entry) => (
                  <tr key={entry.id}>
                    <Cell>
                      <time dateTime={entry.at}>{formatInstant(entry.at, now)}</time>
                    </Cell>
                    <Cell className="max-w-64 truncate">
                      {entry.actor_email}
                      {entry.token && <span className="block text-xs text-muted">{words.through(entry.token)}</span>}
                    </Cell>
                    <Cell className="font-medium first-letter:uppercase">{entry.action}</Cell>
                    <Cell className="max-w-72 truncate">{entry.subject}</Cell>
                    <Cell className="text-muted">{entry.detail}</Cell>
                  </tr>
                ))}
              </Table>
            )}
            <Pager offset={page.offset} shown={entries.length} onTurn={turn} />
          </>
        )}
      </Loaded>
    </>
  );
}
