import { expect, test } from "vitest";
import type { LiveRequest } from "@/api/live";
import { activePeople, lastMinute, refusals } from "./live-figures";

const now = Date.parse("2026-11-28T12:00:00Z");

function request(account_id: string, secondsAgo: number, outcome = "counted", reason = ""): LiveRequest {
  const at = new Date(now - secondsAgo * 1000).toISOString();
  return { account_id, email: `${account_id}@example.org`, at, outcome, reason } as LiveRequest;
}

const requests = [
  request("ada", 1),
  request("bob", 30, "refused", "key_day"),
  request("ada", 61, "refused", "key_day"),
  request("eve", 301, "given_back", "upstream_429"),
];

test("people are active for five minutes, the busiest first", () => {
  expect(activePeople(requests, now).map((one) => [one.account_id, one.requests])).toEqual([
    ["ada", 2],
    ["bob", 1],
  ]);
});

test("refusals are counted by reason", () => {
  expect(refusals(requests)).toEqual([
    { outcome: "refused", reason: "key_day", requests: 2 },
    { outcome: "given_back", reason: "upstream_429", requests: 1 },
  ]);
});

test("the last minute is counted", () => {
  expect(lastMinute(requests, now)).toEqual({ requests: 2, refused: 1 });
});
