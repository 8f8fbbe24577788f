"use client";

import { useState } from "react";
import { usePeople } from "@/api/operator";
import type { PersonView } from "@/api/types";
import { Button } from "@/components/ui/button";
import { Empty } from "@/components/ui/empty";
import { Actions, Cell, Figure, Name, Table } from "@/components/ui/table";
import * as strings from "@/strings";
import { formatDate } from "@/time/local-time";
import { AccountDialog, AccountState, actionsOn, type AccountAction } from "./account-actions";
import { Loaded } from "./loaded";
import { Pager } from "./pager";
import { PersonLink } from "./person-link";
import { SearchBox } from "./search-box";
import { usePage } from "./use-page";

const words = strings.operator.people;
const { columns } = words;

type Asked = { action: AccountAction; person: PersonView };

export function PeoplePage() {
  const { page, search, turn } = usePage();
  const people = usePeople(page);
  const [asked, setAsked] = useState<Asked>();

  return (
    <>
      <SearchBox placeholder={words.placeholder} onSearch={search} />
      <Loaded query={people} skeleton="h-96">
        {({ people: rows, total }) => (
          <>
            {rows.length === 0 ? (
              <Empty>{strings.operator.nothing}</Empty>
            ) : (
              <PeopleTable rows={rows} onAction={(action, person) => setAsked({ action, person })} />
            )}
            <Pager offset={page.offset} shown={rows.length} total={total} onTurn={turn} />
          </>
        )}
      </Loaded>
      {asked && (
        <AccountDialog
          action={asked.action}
          account={asked.person}
          onDone={() => setAsked(undefined)}
          onCancel={() => setAsked(undefined)}
        />
      )}
    </>
  );
}

type TableProps = { rows: PersonView[]; onAction: (action: AccountAction, person: PersonView) => void };

function PeopleTable({ rows, onAction }: TableProps) {
  return (
    <Table
      label={strings.operator.pages.people}
      columns={[
        { label: columns.email },
        { label: columns.state },
        { label: columns.keys, figures: true },
        { label: columns.today, figures: true },
        { label: columns.since },
        { label: columns.actions, actions: true },
      ]}
    >
      {rows.map((person) => (
        <tr key={person.id}>
          <Name>
            <PersonLink id={person.id}>{person.email}</PersonLink>
          </Name>
          <Cell>
            <AccountState account={person} />
          </Cell>
          <Figure>{person.keys}</Figure>
          <Figure>{person.requests_today}</Figure>
          <Cell className="text-muted">{formatDate(person.created_at)}</Cell>
          <Actions>
            {actionsOn(person).map((action) => (
              <Button
                key={action}
                variant="ghost"
                size="small"
                aria-label={words.actionOn(words[action], person.email)}
                onClick={() => onAction(action, person)}
              >
                {words[action]}
              </Button>
            ))}
          </Actions>
        </tr>
      ))}
    </Table>
  );
}
