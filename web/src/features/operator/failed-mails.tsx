"use client";

import { useFailedMails, useRemoveMail, useRetryMail } from "@/api/operator";
import { messageOf } from "@/api/problem";
import type { FailedMail } from "@/api/types";
import { Button } from "@/components/ui/button";
import { Notice } from "@/components/ui/notice";
import { Actions, Cell, Name, Table } from "@/components/ui/table";
import { toast } from "@/components/ui/toast";
import * as strings from "@/strings";
import { formatInstant } from "@/time/local-time";
import { useNow } from "@/time/use-now";

const words = strings.operator.mails;
const { columns } = words;

/** List failed e-mails. Renders nothing if there are none. */
export function FailedMails() {
  const { data } = useFailedMails();
  const retry = useRetryMail();
  const remove = useRemoveMail();
  const error = retry.error ?? remove.error;
  if (!data || data.total === 0) return null;
  return (
    <section aria-labelledby="failed-mails">
      <h2 id="failed-mails" className="text-lg font-semibold tracking-tight">
        {words.title}
      </h2>
      <p className="mt-1 mb-4 text-sm leading-6 text-muted">{words.text}</p>
      {error && (
        <div className="mb-4">
          <Notice tone="danger" alert>
            {messageOf(error)}
          </Notice>
        </div>
      )}
      <Table
        label={words.table}
        columns={[
          ...[columns.to, columns.mail, columns.error, columns.since, columns.next].map((label) => ({
            label,
          })),
          { label: columns.actions, actions: true },
        ]}
      >
        {data.mails.map((mail) => (
          <MailRow
            key={mail.id}
            mail={mail}
            onRetry={() => retry.mutate({ id: mail.id }, { onSuccess: () => toast(words.retried) })}
            onRemove={() => remove.mutate({ id: mail.id }, { onSuccess: () => toast(words.removed) })}
          />
        ))}
      </Table>
      {data.total > data.mails.length && (
        <p className="mt-3 text-sm text-muted">{words.more(data.mails.length, data.total)}</p>
      )}
    </section>
  );
}

type Props = { mail: FailedMail; onRetry: () => void; onRemove: () => void };

function MailRow({ mail, onRetry, onRemove }: Props) {
  const now = useNow() ?? 0;
  return (
    <tr>
      <Name>{mail.recipient}</Name>
      <Cell>{words.kinds[mail.kind]}</Cell>
      <Cell className="min-w-72 whitespace-normal">{mail.error}</Cell>
      <Cell className="text-muted">{formatInstant(mail.created_at, now)}</Cell>
      <Cell className="text-muted">
        {mail.next_try_at ? formatInstant(mail.next_try_at, now) : words.gaveUp}
      </Cell>
      <Actions>
        <Button
          variant="ghost"
          size="small"
          aria-label={words.actionOn(words.retry, mail.recipient)}
          onClick={onRetry}
        >
          {words.retry}
        </Button>
        <Button
          variant="ghost"
          size="small"
          aria-label={words.actionOn(words.remove, mail.recipient)}
          onClick={onRemove}
        >
          {words.remove}
        </Button>
      </Actions>
    </tr>
  );
}
