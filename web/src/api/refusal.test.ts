import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { failureOf, isSpent, type Quota } from "./refusal";

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

test("an exhausted quota is shown with its figures", async () => {
  expect(await failureOf(answer(429, { error: quota }))).toEqual({
    kind: "quota",
    message: "All used.",
    measure: "requests",
    requested: null,
    limit: 10,
    used: 10,
    window: "day",
    subject: "account",
    usagePlanId: "10RequestPerDay",
    resetsAt: "2026-11-26T00:00:00Z",
  });
});

test("a refusal for tokens says what was requested and what is left", async () => {
  const tokens = { measure: "tokens", requested: 4_500, limit: 10_000, used: 9_000 };
  const failure = await failureOf(answer(429, { error: { ...quota, ...tokens } }));
  expect(failure).toMatchObject(tokens);
  expect(isSpent(failure as Quota)).toBe(false);
  expect(isSpent({ ...(failure as Quota), used: 10_000 })).toBe(true);
});

test("a quota in total never resets", async () => {
  const total = { measure: "cost", window: "total", resets_at: null };
  expect(await failureOf(answer(429, { error: { ...quota, ...total } }))).toMatchObject({
    kind: "quota",
    measure: "cost",
    window: "total",
    resetsAt: null,
  });
});

test("API Gateway's refusal does not say which window is over", async () => {
  const error = { ...quota, resets_at: undefined, limit: undefined, enforcer: "aws" };
  expect(await failureOf(answer(429, { error }))).toMatchObject({
    kind: "quota",
    limit: 0,
    window: null,
    resetsAt: "2026-11-26T00:00:00.000Z",
  });
});

test.each([undefined, "soon"])("the upstream's own exhausted quota is not shown as the client's (%s)", async (resets_at) => {
  const { message, type, code } = quota;
  const error = { message, type, code, resets_at };
  expect(await failureOf(answer(429, { error }))).toMatchObject({ kind: "upstream" });
});

test("a throttle says when to retry", async () => {
  const error = { message: "Slow down", code: "rate_limit_exceeded" };
  expect(await failureOf(answer(429, { error }, { "retry-after": "30" }))).toEqual({
    kind: "throttle",
    message: "Slow down",
    measure: "requests",
    retryAt: Date.parse("2026-11-25T12:00:30Z"),
  });
  expect(await failureOf(answer(429, "busy"))).toMatchObject({
    kind: "throttle",
    retryAt: Date.parse("2026-11-25T12:00:05Z"),
  });
});

test.each([500, 502, 503, 504])("%d is an upstream error, whatever the body", async (status) => {
  expect(await failureOf(answer(status, "<html>"))).toEqual({ kind: "upstream", message: "" });
});

test("a lost session and a refused key are distinguished", async () => {
  expect(await failureOf(answer(401, { status: 401, detail: "Sign in." }))).toEqual({
    kind: "signed-out",
  });
  const error = { message: "Incorrect API key", code: "invalid_api_key" };
  expect(await failureOf(answer(401, { error }))).toEqual({
    kind: "refused",
    message: "Incorrect API key",
  });
});

test("any other refusal shows the server's message", async () => {
  expect(await failureOf(answer(404, { detail: "No such key." }))).toEqual({
    kind: "refused",
    message: "No such key.",
  });
});
