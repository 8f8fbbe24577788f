"use client";

import { useState } from "react";
import { useWithdrawInvitation } from "@/api/operator";
import { messageOf } from "@/api/problem";
import type { Invitation } from "@/api/types";
import { invitationAddress } from "@/browser/use-invitation";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Empty } from "@/components/ui/empty";
import { Notice } from "@/components/ui/notice";
import { Actions, Cell, Name, Table } from "@/components/ui/table";
import { toast } from "@/components/ui/toast";
import * as strings from "@/strings";
import { formatDate, formatInstant } from "@/time/local-time";
import { useNow } from "@/time/use-now";
import { InvitationForm } from "./invitation-form";
import { OneTimeLink } from "./one-time-link";

const words = strings.operator.signUp;
const { columns } = words;

type Props = { invitations: Invitation[]; open: boolean };

/** List and create invitations. A new token is held only in this component's state. */
export function Invitations({ invitations, open }: Props) {
  const [token, setToken] = useState<string>();
  const withdraw = useWithdrawInvitation();

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
        <InvitationTable invitations={invitations} onWithdraw={take} />
      )}
    </div>
  );
}

type TableProps = { invitations: Invitation[]; onWithdraw: (id: string) => void };

function InvitationTable({ invitations, onWithdraw }: TableProps) {
  return (
    <Table
      label={words.invitations}
      columns={[
        ...[columns.note, columns.created, columns.state].map((label) => ({ label })),
        { label: columns.actions, actions: true },
      ]}
    >
      {invitations.map((invitation) => (
        <tr key={invitation.id}>
          <Name>{invitation.note || words.someone}</Name>
          <Cell className="text-muted">{formatDate(invitation.created_at)}</Cell>
          <Cell>
            <State invitation={invitation} />
          </Cell>
          <Actions>
            {!invitation.used_at && (
              <Button
                variant="ghost"
                size="small"
                aria-label={strings.keys.actionOn(words.withdraw, invitation.note || words.someone)}
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
