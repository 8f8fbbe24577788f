"use client";

import Link from "next/link";
import { useSearchParams } from "next/navigation";
import type { ReactNode } from "react";
import { usePerson } from "@/api/operator";
import type { Person } from "@/api/types";
import { LimitMeters } from "@/components/limit-meters";
import { Receipts } from "@/components/receipts";
import { Empty } from "@/components/ui/empty";
import { Table } from "@/components/ui/table";
import * as strings from "@/strings";
import { formatDate, formatInstant } from "@/time/local-time";
import { useNow } from "@/time/use-now";
import { AccountState } from "./account-actions";
import { AuditRow } from "./audit-row";
import { Loaded } from "./loaded";
import { PersonActions } from "./person-actions";
import { PersonKeys } from "./person-keys";

const words = strings.operator.person;

/** One person: their account, keys, usage, recent requests, and what operators did. */
export function PersonPage() {
  const id = useSearchParams().get("id") ?? "";
  const person = usePerson(id);
  return (
    <>
      <p className="mb-6 text-sm">
        <Link href="/operator/people/" className="rounded-sm text-muted underline underline-offset-4 hover:text-foreground">
          {words.back}
        </Link>
      </p>
      {id === "" ? (
        <Empty>{words.missing}</Empty>
      ) : (
        // The state of one person's page, such as a link that is shown once, is not another's.
        <Loaded key={id} query={person} skeleton="h-96">
          {(data) => <Details person={data} />}
        </Loaded>
      )}
    </>
  );
}

function Details({ person }: { person: Person }) {
  const { email, limits, usage_today: today, requests, audit_log: entries } = person;
  return (
    <div className="space-y-12">
      <section aria-labelledby="person" className="space-y-5">
        <div>
          <div className="flex flex-wrap items-center gap-x-3 gap-y-2">
            <h2 id="person" className="min-w-0 text-lg font-semibold tracking-tight">
              {email}
            </h2>
            <AccountState account={person} />
          </div>
          <Facts person={person} />
        </div>
        <PersonActions person={person} />
      </section>
      <Section id="today" title={words.today}>
        <div className="rounded-xl border bg-raised p-5">
          <p className="mb-4 text-sm text-muted">
            {words.used(today.requests, today.refused, today.tokens, today.cost)}
          </p>
          {limits.length > 0 ? (
            <LimitMeters limits={limits} subject={words.account} leftOf={words.leftOf} />
          ) : (
            <p className="text-sm text-muted">{words.noLimits}</p>
          )}
        </div>
      </Section>
      <Section id="keys" title={words.keys}>
        <PersonKeys keys={person.keys} />
      </Section>
      <Section id="requests" title={words.requests}>
        <Receipts receipts={requests} />
      </Section>
      <Section id="audit" title={words.audit}>
        {entries.length > 0 ? (
          <Entries entries={entries} />
        ) : (
          <Empty>{words.noAudit}</Empty>
        )}
      </Section>
    </div>
  );
}

function Entries({ entries }: { entries: Person["audit_log"] }) {
  const now = useNow() ?? 0;
  const { at, actor, action, subject, detail } = strings.operator.audit.columns;
  return (
    <Table
      label={words.auditTable}
      className="max-h-96"
      columns={[at, actor, action, subject, detail].map((label) => ({ label }))}
    >
      {entries.map((entry) => (
        <AuditRow key={entry.id} entry={entry} now={now} />
      ))}
    </Table>
  );
}

function Facts({ person: { created_at, email_confirmed, has_password, sessions } }: { person: Person }) {
  const now = useNow() ?? 0;
  const last = sessions.last_opened_at;
  return (
    <ul className="mt-2 flex flex-wrap gap-x-5 gap-y-1 text-sm text-muted">
      <li>{words.since(formatDate(created_at))}</li>
      <li>{email_confirmed ? words.confirmed : words.unconfirmed}</li>
      {!has_password && <li>{words.noPassword}</li>}
      <li>
        {words.sessions(sessions.browsers)}
        {last && words.lastSignIn(formatInstant(last, now))}
      </li>
    </ul>
  );
}

function Section({ id, title, children }: { id: string; title: string; children: ReactNode }) {
  return (
    <section aria-labelledby={id}>
      <h2 id={id} className="mb-4 text-lg font-semibold tracking-tight">
        {title}
      </h2>
      {children}
    </section>
  );
}
