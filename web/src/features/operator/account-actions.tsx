"use client";

import { useChangePerson, useDeletePerson } from "@/api/operator";
import type { PersonView } from "@/api/types";
import { ConfirmDialog } from "@/components/confirm-dialog";
import { Badge } from "@/components/ui/badge";
import { toast } from "@/components/ui/toast";
import * as strings from "@/strings";

const words = strings.operator.people;

export type AccountAction = "promote" | "demote" | "disable" | "enable" | "delete";
type Account = Pick<PersonView, "id" | "email" | "role" | "disabled_at">;

const changes = {
  promote: { role: "operator" },
  demote: { role: "member" },
  disable: { disabled: true },
  enable: { disabled: false },
} as const;

export function actionsOn({ role, disabled_at }: Account): AccountAction[] {
  return [role === "operator" ? "demote" : "promote", disabled_at ? "enable" : "disable", "delete"];
}

export function AccountState({ account }: { account: Account }) {
  if (account.disabled_at) return <Badge tone="danger">{words.disabled}</Badge>;
  return account.role === "operator" ? (
    <Badge tone="good">{words.operator}</Badge>
  ) : (
    <Badge>{words.member}</Badge>
  );
}

type Props = { action: AccountAction; account: Account; onDone: () => void; onCancel: () => void };

/** Ask for confirmation, then act on an account. */
export function AccountDialog({ action, account, onDone, onCancel }: Props) {
  const change = useChangePerson();
  const remove = useDeletePerson();

  async function apply() {
    if (action === "delete") await remove.mutateAsync({ id: account.id });
    else await change.mutateAsync({ id: account.id, ...changes[action] });
    toast(words.done[action]);
  }

  return (
    <ConfirmDialog
      {...question(action, account)}
      danger={action === "disable" || action === "delete"}
      confirmLabel={words[action]}
      onConfirm={apply}
      onDone={onDone}
      onCancel={onCancel}
    />
  );
}

function question(action: AccountAction, { email }: Account): { title: string; text: string } {
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
