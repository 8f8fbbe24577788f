"use client";

import clsx from "clsx";
import { useLayoutEffect, useRef, useState, type ReactNode } from "react";
import { useLive, type LiveRequest, type LiveState } from "@/api/live";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import * as strings from "@/strings";
import { useNow } from "@/time/use-now";
import { LiveCeilings } from "./live-ceilings";
import { activePeople, lastMinute, refusals, type Active } from "./live-figures";
import { LiveTable } from "./live-table";
import { PauseSwitch } from "./pause-switch";

const words = strings.live;
const shownPeople = 12;
const tones = { connecting: "plain", live: "good", lost: "warn" } as const;

/** What happens on the site now. A projector shows it in large type, and no names unless asked. */
export function LivePage() {
  const live = useLive();
  const [projecting, setProjecting] = useState(false);
  return (
    <div className="space-y-8">
      <PauseSwitch />
      <View {...live} names>
        <Button variant="secondary" size="small" onClick={() => setProjecting(true)}>
          {words.project}
        </Button>
      </View>
      {projecting && (
        <Projector onLeave={() => setProjecting(false)}>
          <View {...live} names={false} projector>
            <Button variant="secondary" size="small" onClick={() => setProjecting(false)}>
              {words.leaveProjector}
            </Button>
          </View>
        </Projector>
      )}
    </div>
  );
}

/** Cover the page, so that nothing else is shown. The browser traps and restores focus and handles Esc. */
function Projector({ onLeave, children }: { onLeave: () => void; children: ReactNode }) {
  const ref = useRef<HTMLDialogElement>(null);
  // Closed before it leaves the document, so that focus returns to the button that opened it.
  useLayoutEffect(() => {
    const dialog = ref.current;
    dialog?.showModal();
    return () => dialog?.close();
  }, []);
  return (
    <dialog
      ref={ref}
      aria-label={words.project}
      onCancel={(event) => {
        event.preventDefault();
        onLeave();
      }}
      className="m-0 h-dvh max-h-none w-dvw max-w-none space-y-8 overflow-auto bg-background p-4 text-lg text-foreground sm:p-8 xl:text-2xl [&_:is(.text-xs,.text-sm)]:text-[length:inherit]"
    >
      {children}
    </dialog>
  );
}

type ViewProps = {
  requests: LiveRequest[];
  state: LiveState;
  /** Whether names are shown at first. */
  names: boolean;
  projector?: boolean;
  children: ReactNode;
};

function View({ requests, state, names: initially, projector = false, children }: ViewProps) {
  const now = useNow() ?? 0;
  const [names, setNames] = useState(initially);
  const people = activePeople(requests, now);
  const failed = refusals(requests);
  return (
    <>
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
        {children}
      </div>
      <Announcer text={lastMinuteText(requests, now)} />
      <div
        className={clsx(
          "grid grid-cols-[minmax(0,1fr)] gap-8",
          projector && "lg:grid-cols-[minmax(0,1fr)_minmax(0,2fr)]",
        )}
      >
        <div className={clsx("grid grid-cols-[minmax(0,1fr)] content-start gap-8", !projector && "lg:grid-cols-3")}>
          <Section title={words.ceilings}>
            <LiveCeilings />
          </Section>
          <Section title={people.length === 0 ? words.activeNone : words.active(people.length)}>
            {names && <People people={people} />}
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
        <Section title={words.requests}>
          <LiveTable requests={requests} names={names} projector={projector} />
        </Section>
      </div>
    </>
  );
}

function People({ people }: { people: Active[] }) {
  return (
    <>
      <List
        rows={people.slice(0, shownPeople).map((person) => ({
          key: person.account_id,
          name: person.email ?? words.someone,
          figure: words.activeRequests(person.requests),
        }))}
      />
      {people.length > shownPeople && (
        <p className="mt-2 text-muted">{words.activeMore(people.length - shownPeople)}</p>
      )}
    </>
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
          <span className="min-w-0 wrap-anywhere text-muted">{name}</span>
          <span className="shrink-0 tabular-nums">{figure}</span>
        </li>
      ))}
    </ul>
  );
}
