import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { refreshRights } from "./session";

/** A request as the live view sends it. It contains no prompt. */
export type LiveRequest = {
  request_id: string;
  at: string;
  account_id: string;
  /** Null if the account has been deleted. */
  email: string | null;
  api_key_id: string;
  api_key_name: string | null;
  usage_plan_id: string | null;
  model: string;
  via: "api" | "chat";
  status: number;
  outcome: string;
  reason: string;
  tokens: number | null;
  cost: number | null;
  duration_ms: number | null;
};

export type LiveState = "connecting" | "live" | "lost";

/** Requests that a page keeps; the server sends no more at once. */
const kept = 1_000;
const flushEvery = 250;
const retryAfter = 5_000;

/** Return the recent requests of all people, newest first, and whether the connection stands. */
export function useLive() {
  const [requests, setRequests] = useState<LiveRequest[]>([]);
  const [state, setState] = useState<LiveState>("connecting");
  const client = useQueryClient();
  useEffect(
    () =>
      watch(
        (added) => setRequests((known) => merge(known, added)),
        setState,
        () => void refreshRights(client),
      ),
    [client],
  );
  return { requests, state };
}

/** Add requests in the order of their arrival. One that is known is left out: a reconnection repeats some. */
export function merge(known: LiveRequest[], added: LiveRequest[]): LiveRequest[] {
  const ids = new Set(known.map((one) => one.request_id));
  const fresh = added.filter(({ request_id }) => !ids.has(request_id) && ids.add(request_id));
  return fresh.length === 0 ? known : [...fresh.reverse(), ...known].slice(0, kept);
}

function watch(
  onRequests: (added: LiveRequest[]) => void,
  onState: (state: LiveState) => void,
  onRefused: () => void,
): () => void {
  let source: EventSource;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let waiting: LiveRequest[] = [];

  function connect() {
    source = new EventSource("/api/operator/live");
    source.onopen = () => onState("live");
    source.onmessage = ({ data }: MessageEvent<string>) => waiting.push(JSON.parse(data) as LiveRequest);
    source.onerror = () => {
      onState("lost");
      if (source.readyState !== EventSource.CLOSED) return;
      // The browser itself reconnects unless it was refused: there are too many viewers, or this
      // account is signed out or no longer an operator.
      onRefused();
      retry = setTimeout(connect, retryAfter);
    };
  }

  // Many requests can come at once: render them together.
  const flush = setInterval(() => {
    if (waiting.length > 0) onRequests(waiting);
    waiting = [];
  }, flushEvery);
  connect();
  return () => {
    clearInterval(flush);
    clearTimeout(retry);
    source.close();
  };
}
