import { expect, test, vi } from "vitest";
import { serverNow, syncClock } from "./clock";

test("follows the server's clock, and ignores jitter and a missing date", () => {
  const local = Date.parse("2026-11-25T12:00:00Z");
  vi.useFakeTimers({ now: local });
  const answered = (date?: string) => syncClock(new Response(null, date ? { headers: { date } } : {}));

  answered("Wed, 25 Nov 2026 12:00:01 GMT");
  expect(serverNow()).toBe(local);
  answered("Wed, 25 Nov 2026 12:10:00 GMT");
  expect(serverNow()).toBe(local + 600_000);
  answered();
  answered("nonsense");
  expect(serverNow()).toBe(local + 600_000);
  vi.useRealTimers();
});
