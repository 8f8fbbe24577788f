"use client";

import { useState, type ComponentProps } from "react";
import { useChangePeople, useChangePerson, useDeletePerson, usePeople } from "@/api/operator";
import type { PersonView } from "@/api/types";
import { ConfirmDialog } from "@/components/confirm-dialog";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Empty } from "@/components/ui/empty";
import { Actions, Cell, Figure, Name, Selector, Table } from "@/components/ui/table";
import { toast } from "@/components/ui/toast";
import * as strings from "@/strings";
import { formatDate } from "@/time/local-time";
import { Loaded } from "./loaded";
import { Pager } from "./pager";
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

type Action = "promote" | "demote" | "disable" | "enable" | "delete";
type Asked = { action: Action; person: PersonView };

const changes = {
  promote: { role: "operator" },
  demote: { role: "member" },
  disable: { disabled: true },
  enable: { disabled: false },
} as const;

export function PeoplePage() {
  const { state, search, turn, sorting } = useTableState(sortable, "created_at");
  const people = usePeople(state);
  const selection = useSelection();
  const changeMany = useChangePeople();
  const change = useChangePerson();
  const remove = useDeletePerson();
  const [asked, setAsked] = useState<Asked>();

  async function apply({ action, person }: Asked) {
    if (action === "delete") await remove.mutateAsync({ id: person.id });
    else await change.mutateAsync({ id: person.id, ...changes[action] });
    toast(words.done[action]);
  }

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
        <ConfirmDialog
          {...question(asked)}
          danger={asked.action === "disable" || asked.action === "delete"}
          confirmLabel={words[asked.action]}
          onConfirm={() => apply(asked)}
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
  onAction: (action: Action, person: PersonView) => void;
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
          <Name>{person.email}</Name>
          <Cell>
            <State person={person} />
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

function State({ person }: { person: PersonView }) {
  if (person.disabled_at) return <Badge tone="danger">{words.disabled}</Badge>;
  return person.role === "operator" ? (
    <Badge tone="good">{words.operator}</Badge>
  ) : (
    <Badge>{words.member}</Badge>
  );
}

function actionsOn({ role, disabled_at }: PersonView): Action[] {
  return [role === "operator" ? "demote" : "promote", disabled_at ? "enable" : "disable", "delete"];
}

function question({ action, person: { email } }: Asked): { title: string; text: string } {
  switch (action) {
    case "promote":
      return { title: words.promoteTitle(email), text: words.promoteText };
    case "demote":
      return { title: words.demoteTitle(email), text: words.demoteText };
    case "disable":
      return { title: words.disableTitle(email), text: words.disableText };
    case "enable":
      return { title: words.enableTitle(email), text: words.enableText };
    case "delete":
      return { title: words.deleteTitle(email), text: words.deleteText };
  }
}
