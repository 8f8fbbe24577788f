"use client";

import { useState } from "react";
import { useChangePerson, useDeletePerson, usePeople } from "@/api/operator";
import type { PersonView } from "@/api/types";
import { ConfirmDialog } from "@/components/confirm-dialog";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Empty } from "@/components/ui/empty";
import { Actions, Cell, Figure, Name, Table } from "@/components/ui/table";
import { toast } from "@/components/ui/toast";
import * as strings from "@/strings";
import { formatDate } from "@/time/local-time";
import { Loaded } from "./loaded";
import { Pager } from "./pager";
import { SearchBox } from "./search-box";
import { usePage } from "./use-page";

const words = strings.operator.people;
const { columns } = words;

type Action = "promote" | "demote" | "disable" | "enable" | "delete";
type Asked = { action: Action; person: PersonView };

const changes = {
  promote: { role: "operator" },
  demote: { role: "member" },
  disable: { disabled: true },
  enable: { disabled: false },
} as const;

export function PeoplePage() {
  const { page, search, turn } = usePage();
  const people = usePeople(page);
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

type TableProps = { rows: PersonView[]; onAction: (action: Action, person: PersonView) => void };

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
