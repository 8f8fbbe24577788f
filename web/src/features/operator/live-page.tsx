"use client";

import clsx from "clsx";
import { useEffect, useState, type ReactNode } from "react";
import { useLive, type LiveState } from "@/api/live";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import * as strings from "@/strings";
import { useNow } from "@/time/use-now";
import { LiveCeilings } from "./live-ceilings";
import { activePeople, lastMinute, refusals } from "./live-figures";
import { LiveTable } from "./live-table";

const words = strings.live;
const shownPeople = 12;
const tones = { connecting: "plain", live: "good", lost: "warn" } as const;

/** What happens on the site now. In projector mode the type is large, and names are hidden unless asked for. */
export function LivePage() {
  const { requests, state } = useLive();
  const now = useNow() ?? 0;
  const [projector, setProjector] = useState(false);
  const [names, setNames] = useState(true);

  function turnProjector(on: boolean) {
    setProjector(on);
    setNames(!on);
  }

  useEffect(() => {
    if (!projector) return;
    const leave = ({ key }: KeyboardEvent) => {
      if (key === "Escape") turnProjector(false);
    };
    window.addEventListener("keydown", leave);
    return () => window.removeEventListener("keydown", leave);
  }, [projector]);

  const people = activePeople(requests, now);
  const failed = refusals(requests);
  return (
    <div
      className={clsx(
        "space-y-8",
        projector && "fixed inset-0 z-40 overflow-auto bg-background p-4 text-lg sm:p-8 xl:text-2xl",
      )}
    >
      <div className="flex flex-wrap items-center gap-x-6 gap-y-3">
        <State state={state} />
        <p className="font-medium tabular-nums">{lastMinuteText(requests, now)}</p>
        <label className="flex items-center gap-2.5 text-sm">
          <input
            type="checkbox"
            role="switch"
            checked={names}
            onChange={(event) => setNames(event.target.checked)}
            className="size-4 accent-accent"
          />
          {words.showNames}
        </label>
        <Button variant="secondary" size="small" aria-pressed={projector} onClick={() => turnProjector(!projector)}>
          {projector ? words.leaveProjector : words.project}
        </Button>
      </div>
      <Announcer text={lastMinuteText(requests, now)} />
      <div className="grid grid-cols-[minmax(0,1fr)] gap-8 lg:grid-cols-[minmax(0,2fr)_minmax(0,1fr)]">
        <Section title={words.requests}>
          <LiveTable requests={requests} names={names} projector={projector} />
        </Section>
        <div className="space-y-8">
          <Section title={words.ceilings}>
            <LiveCeilings />
          </Section>
          <Section title={people.length === 0 ? words.activeNone : words.active(people.length)}>
            {names && (
              <List
                rows={people.slice(0, shownPeople).map((person) => ({
                  key: person.account_id,
                  name: person.email ?? words.someone,
                  figure: words.activeRequests(person.requests),
                }))}
              />
            )}
            {names && people.length > shownPeople && (
              <p className="mt-2 text-muted">{words.activeMore(people.length - shownPeople)}</p>
            )}
          </Section>
          <Section title={words.refusals}>
            {failed.length === 0 ? (
              <p className="text-muted">{words.refusalsNone}</p>
            ) : (
              <List
                rows={failed.map(({ outcome, reason, requests: times }) => ({
                  key: `${outcome} ${reason}`,
                  name: strings.usage.became(outcome, reason),
                  figure: times.toLocaleString("en"),
                }))}
              />
            )}
          </Section>
        </div>
      </div>
    </div>
  );
}

function lastMinuteText(...of: Parameters<typeof lastMinute>): string {
  const { requests, refused } = lastMinute(...of);
  return words.lastMinute(requests, refused);
}

function State({ state }: { state: LiveState }) {
  return (
    <p role="status">
      <Badge tone={tones[state]}>{words.states[state]}</Badge>
    </p>
  );
}

const announceEvery = 60_000;

/** Tell screen readers once a minute, rather than at every request. */
function Announcer({ text }: { text: string }) {
  const [said, setSaid] = useState("");
  const now = useNow() ?? 0;
  const minute = Math.floor(now / announceEvery);
  const [told, setTold] = useState(minute);
  if (told !== minute) {
    setTold(minute);
    setSaid(text);
  }
  return (
    <p aria-live="polite" className="sr-only">
      {said}
    </p>
  );
}

function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section>
      <h2 className="mb-3 font-semibold tracking-tight">{title}</h2>
      {children}
    </section>
  );
}

type Row = { key: string; name: string; figure: string };

function List({ rows }: { rows: Row[] }) {
  return (
    <ul className="space-y-1">
      {rows.map(({ key, name, figure }) => (
        <li key={key} className="flex justify-between gap-4">
          <span className="min-w-0 truncate text-muted">{name}</span>
          <span className="shrink-0 tabular-nums">{figure}</span>
        </li>
      ))}
    </ul>
  );
}
