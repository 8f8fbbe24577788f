import type { LiveRequest } from "@/api/live";

const minute = 60_000;
const activeFor = 5 * minute;

export type Active = { account_id: string; email: string | null; requests: number };
type Refusals = { outcome: string; reason: string; requests: number };

/** Return who made a request in the last five minutes, the busiest first. */
export function activePeople(requests: LiveRequest[], now: number): Active[] {
  const people = new Map<string, Active>();
  for (const { account_id, email, at } of requests) {
    if (Date.parse(at) < now - activeFor) continue;
    const person = people.get(account_id) ?? { account_id, email, requests: 0 };
    person.requests += 1;
    people.set(account_id, person);
  }
  return [...people.values()].sort((a, b) => b.requests - a.requests);
}

/** Return why requests were refused or failed, the most frequent reason first. */
export function refusals(requests: LiveRequest[]): Refusals[] {
  const reasons = new Map<string, Refusals>();
  for (const { outcome, reason } of requests) {
    if (!reason) continue;
    const key = `${outcome} ${reason}`;
    const found = reasons.get(key) ?? { outcome, reason, requests: 0 };
    found.requests += 1;
    reasons.set(key, found);
  }
  return [...reasons.values()].sort((a, b) => b.requests - a.requests);
}

/** Count the requests of the last minute, and how many of them were refused. */
export function lastMinute(requests: LiveRequest[], now: number) {
  const recent = requests.filter(({ at }) => Date.parse(at) >= now - minute);
  return { requests: recent.length, refused: recent.filter((one) => one.outcome === "refused").length };
}
