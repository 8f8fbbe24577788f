"use client";

import { useState, type ComponentProps } from "react";
import { useChangePeople, usePeople } from "@/api/operator";
import type { PersonView } from "@/api/types";
import { Button } from "@/components/ui/button";
import { Empty } from "@/components/ui/empty";
import { Actions, Cell, Figure, Name, Selector, Table } from "@/components/ui/table";
import * as strings from "@/strings";
import { formatDate } from "@/time/local-time";
import { AccountDialog, AccountState, actionsOn, type AccountAction } from "./account-actions";
import { Loaded } from "./loaded";
import { Pager } from "./pager";
import { PersonLink } from "./person-link";
import { SearchBox } from "./search-box";
import { SelectionBar } from "./selection-bar";
import { useSelection } from "./use-selection";
import { useTableState } from "./use-table-state";

const words = strings.operator.people;
const { columns } = words;

const sortable = {
  email: "asc",
  state: "asc",
  keys: "desc",
  requests_today: "desc",
  created_at: "desc",
} as const;

type Asked = { action: AccountAction; person: PersonView };

export function PeoplePage() {
  const { state, search, turn, sorting } = useTableState(sortable, "created_at");
  const people = usePeople(state);
  const selection = useSelection();
  const changeMany = useChangePeople();
  const [asked, setAsked] = useState<Asked>();

  return (
    <>
      <SearchBox placeholder={words.placeholder} value={state.search} onSearch={search} />
      <Loaded query={people} skeleton="h-96">
        {({ people: rows, total }) => (
          <>
            {rows.length === 0 ? (
              <Empty>{strings.operator.nothing}</Empty>
            ) : (
              <PeopleTable
                rows={rows}
                sorting={sorting}
                selection={selection}
                onAction={(action, person) => setAsked({ action, person })}
              />
            )}
            <Pager offset={state.offset} shown={rows.length} total={total} onTurn={turn} />
          </>
        )}
      </Loaded>
      <SelectionBar
        selection={selection}
        actions={[
          { name: "disable", label: words.disable, danger: true, ...words.disableMany },
          { name: "enable", label: words.enable, ...words.enableMany },
        ]}
        onAct={(action, ids) => changeMany.mutateAsync({ ids, action })}
      />
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

type TableProps = {
  rows: PersonView[];
  sorting: ComponentProps<typeof Table>["sorting"];
  selection: ReturnType<typeof useSelection>;
  onAction: (action: AccountAction, person: PersonView) => void;
};

const itemOf = ({ id, email }: PersonView) => ({ id, name: email });

function PeopleTable({ rows, sorting, selection, onAction }: TableProps) {
  return (
    <Table
      label={strings.operator.pages.people}
      sorting={sorting}
      selectAll={selection.allBox(rows.map(itemOf))}
      columns={[
        { label: columns.email, sort: "email" },
        { label: columns.state, sort: "state" },
        { label: columns.keys, figures: true, sort: "keys" },
        { label: columns.today, figures: true, sort: "requests_today" },
        { label: columns.since, sort: "created_at" },
        { label: columns.actions, actions: true },
      ]}
    >
      {rows.map((person) => (
        <tr key={person.id}>
          <Selector>{selection.box(itemOf(person))}</Selector>
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
