import Link from "next/link";
import { useUpstreams } from "@/api/operator";
import type { Upstream } from "@/api/types";
import { Badge } from "@/components/ui/badge";
import * as strings from "@/strings";

const words = strings.upstreams;

const tones = { closed: "good", half_open: "warn", open: "danger" } as const;

/** The state of an upstream, and how many of its requests failed. */
export function UpstreamState({ upstream: { health, problem } }: { upstream: Upstream }) {
  const { state, requests, failures, last_failure } = health;
  return (
    <>
      <Badge tone={problem ? "danger" : tones[state]}>{problem ? words.broken : words.states[state]}</Badge>
      <span className="mt-1.5 block max-w-64 text-xs whitespace-normal text-muted">
        {problem ?? words.recent(requests, failures)}
        {last_failure && ` ${words.lastFailure(last_failure)}`}
      </span>
    </>
  );
}

/** Every upstream with its state, for the overview. */
export function UpstreamStates() {
  const { data } = useUpstreams();
  if (!data || data.upstreams.length === 0) return null;
  return (
    <ul className="mt-4 space-y-3 border-t pt-4 text-sm">
      {data.upstreams.map((upstream) => (
        <li key={upstream.id}>
          <Link href="/operator/upstreams/" className="mr-2 font-medium underline underline-offset-4">
            {upstream.name}
          </Link>
          <UpstreamState upstream={upstream} />
        </li>
      ))}
    </ul>
  );
}
