import type { AuditEntry } from "@/api/types";
import { Cell } from "@/components/ui/table";
import * as strings from "@/strings";
import { formatInstant } from "@/time/local-time";
import { PersonLink } from "./person-link";

type Props = {
  entry: AuditEntry;
  now: number;
  /** Link to the person that the entry is about. */
  linked?: boolean;
};

export function AuditRow({ entry, now, linked }: Props) {
  const { at, actor_email, action, subject, detail, account_id, token } = entry;
  return (
    <tr>
      <Cell>
        <time dateTime={at}>{formatInstant(at, now)}</time>
      </Cell>
      <Cell className="max-w-64 truncate">
        {actor_email}
        {token && <span className="block text-xs text-muted">{strings.operator.audit.through(token)}</span>}
      </Cell>
      <Cell className="font-medium first-letter:uppercase">{action}</Cell>
      <Cell className="max-w-72 truncate">
        {linked && account_id ? <PersonLink id={account_id}>{subject}</PersonLink> : subject}
      </Cell>
      <Cell className="text-muted">{detail}</Cell>
    </tr>
  );
}
