import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { failureOf } from "./refusal";

function answer(status: number, body: unknown, headers: Record<string, string> = {}): Response {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return new Response(text, { status, headers });
}

beforeEach(() => {
  vi.useFakeTimers({ now: Date.parse("2026-11-25T12:00:00Z") });
});

afterEach(() => {
  vi.useRealTimers();
});

const quota = {
  message: "All used.",
  type: "insufficient_quota",
  code: "insufficient_quota",
  limit: 10,
  used: 10,
  window: "day",
  subject: "account",
  usage_plan_id: "10RequestPerDay",
  resets_at: "2026-11-26T00:00:00Z",
};

test("a spent quota comes with its figures", async () => {
  expect(await failureOf(answer(429, { error: quota }))).toEqual({
    kind: "quota",
    message: "All used.",
    limit: 10,
    used: 10,
    window: "day",
    subject: "account",
    usagePlanId: "10RequestPerDay",
    resetsAt: "2026-11-26T00:00:00Z",
  });
});

test("API Gateway does not say which window is over, whatever its answer names", async () => {
  const error = { ...quota, resets_at: undefined, limit: undefined, enforcer: "aws" };
  expect(await failureOf(answer(429, { error }))).toMatchObject({
    kind: "quota",
    limit: 0,
    window: null,
    resetsAt: "2026-11-26T00:00:00.000Z",
  });
});

test.each([undefined, "soon"])("the upstream's own spent quota is not the caller's (%s)", async (resets_at) => {
  const { message, type, code } = quota;
  const error = { message, type, code, resets_at };
  expect(await failureOf(answer(429, { error }))).toMatchObject({ kind: "upstream" });
});

test("a throttle says when to come back", async () => {
  const error = { message: "Slow down", code: "rate_limit_exceeded" };
  expect(await failureOf(answer(429, { error }, { "retry-after": "30" }))).toEqual({
    kind: "throttle",
    message: "Slow down",
    retryAt: Date.parse("2026-11-25T12:00:30Z"),
  });
  expect(await failureOf(answer(429, "busy"))).toMatchObject({
    kind: "throttle",
    retryAt: Date.parse("2026-11-25T12:00:05Z"),
  });
});

test.each([500, 502, 503, 504])("%d is the upstream's trouble, whatever the body", async (status) => {
  expect(await failureOf(answer(status, "<html>"))).toEqual({ kind: "upstream", message: "" });
});

test("a lost session is told from a refused key", async () => {
  expect(await failureOf(answer(401, { status: 401, detail: "Sign in." }))).toEqual({
    kind: "signed-out",
  });
  const error = { message: "Incorrect API key", code: "invalid_api_key" };
  expect(await failureOf(answer(401, { error }))).toEqual({
    kind: "refused",
    message: "Incorrect API key",
  });
});

test("any other refusal is told in the server's words", async () => {
  expect(await failureOf(answer(404, { detail: "No such key." }))).toEqual({
    kind: "refused",
    message: "No such key.",
  });
});
