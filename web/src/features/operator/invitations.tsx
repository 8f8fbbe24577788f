"use client";

import { useState } from "react";
import { useWithdrawInvitation, useWithdrawInvitations } from "@/api/operator";
import { messageOf } from "@/api/problem";
import type { Invitation } from "@/api/types";
import { invitationAddress } from "@/browser/use-invitation";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Empty } from "@/components/ui/empty";
import { Notice } from "@/components/ui/notice";
import { Actions, Cell, Name, Selector, Table } from "@/components/ui/table";
import { toast } from "@/components/ui/toast";
import * as strings from "@/strings";
import { formatDate, formatInstant } from "@/time/local-time";
import { useNow } from "@/time/use-now";
import { InvitationForm } from "./invitation-form";
import { OneTimeLink } from "./one-time-link";
import { SelectionBar } from "./selection-bar";
import { sorted } from "./table-state";
import { useSelection } from "./use-selection";
import { useTableState } from "./use-table-state";

const words = strings.operator.signUp;
const { columns } = words;

const sortable = { note: "asc", created_at: "desc", expires_at: "desc" } as const;

type Props = { invitations: Invitation[]; open: boolean };

/** List and create invitations. A new token is held only in this component's state. */
export function Invitations({ invitations, open }: Props) {
  const [token, setToken] = useState<string>();
  const withdraw = useWithdrawInvitation();
  const withdrawMany = useWithdrawInvitations();
  const selection = useSelection();

  function take(id: string) {
    withdraw.mutate(
      { id },
      {
        onSuccess: () => {
          toast(words.withdrawn);
          // The withdrawn invitation may be the one whose link is shown.
          setToken(undefined);
        },
      },
    );
  }

  return (
    <div className="space-y-6">
      {open && <InvitationForm onCreated={setToken} />}
      {token && (
        <OneTimeLink
          text={words.linkText}
          label={words.link}
          copyLabel={words.copyLink}
          url={invitationAddress(token)}
        />
      )}
      {withdraw.isError && (
        <Notice tone="danger" alert>
          {messageOf(withdraw.error)}
        </Notice>
      )}
      {invitations.length === 0 ? (
        <Empty>{words.none}</Empty>
      ) : (
        <>
          <InvitationTable invitations={invitations} selection={selection} onWithdraw={take} />
          <SelectionBar
            selection={selection}
            actions={[{ name: "withdraw", label: words.withdraw, danger: true, ...words.withdrawMany }]}
            onAct={async (_, ids) => {
              const outcome = await withdrawMany.mutateAsync(ids);
              setToken(undefined);
              return outcome;
            }}
          />
        </>
      )}
    </div>
  );
}

type TableProps = {
  invitations: Invitation[];
  selection: ReturnType<typeof useSelection>;
  onWithdraw: (id: string) => void;
};

const nameOf = ({ note }: Invitation) => note || words.someone;
const itemOf = (invitation: Invitation) => ({
  id: invitation.id,
  name: words.createdOn(nameOf(invitation), formatDate(invitation.created_at)),
});

function InvitationTable({ invitations, selection, onWithdraw }: TableProps) {
  const { state, sorting } = useTableState(sortable, "created_at");
  const { sort, order } = state;
  const unused = invitations.filter(({ used_at }) => !used_at);
  return (
    <Table
      label={words.table}
      sorting={sorting}
      selectAll={selection.allBox(unused.map(itemOf))}
      columns={[
        { label: columns.note, sort: "note" },
        { label: columns.created, sort: "created_at" },
        { label: columns.state, sort: "expires_at" },
        { label: columns.actions, actions: true },
      ]}
    >
      {sorted(invitations, (invitation) => invitation[sort], order).map((invitation) => (
        <tr key={invitation.id}>
          <Selector>{!invitation.used_at && selection.box(itemOf(invitation))}</Selector>
          <Name>{nameOf(invitation)}</Name>
          <Cell className="text-muted">{formatDate(invitation.created_at)}</Cell>
          <Cell>
            <State invitation={invitation} />
          </Cell>
          <Actions>
            {!invitation.used_at && (
              <Button
                variant="ghost"
                size="small"
                aria-label={strings.keys.actionOn(words.withdraw, nameOf(invitation))}
                onClick={() => onWithdraw(invitation.id)}
              >
                {words.withdraw}
              </Button>
            )}
          </Actions>
        </tr>
      ))}
    </Table>
  );
}

function State({ invitation: { used_by, expires_at } }: { invitation: Invitation }) {
  const now = useNow() ?? 0;
  if (used_by) return <Badge>{words.usedBy(used_by)}</Badge>;
  if (Date.parse(expires_at) <= now) return <Badge tone="warn">{words.expired}</Badge>;
  return <Badge tone="good">{words.openUntil(formatInstant(expires_at, now))}</Badge>;
}
