// @vitest-environment happy-dom
import { afterEach, expect, test, vi } from "vitest";
import { createQueryClient } from "./query-client";
import { ApiError } from "./problem";
import { sessionKey } from "./session";

afterEach(() => vi.restoreAllMocks());

const refused = (status: number) => ({
  queryFn: () => Promise.reject(new ApiError(status, "refused")),
});

test("after a 403, the role and the terms are asked for again", async () => {
  const client = createQueryClient();
  client.setQueryData(sessionKey, { id: "ada", role: "operator" });
  client.setQueryData(["site"], { terms: null });
  await client.fetchQuery({ queryKey: ["people"], ...refused(403) }).catch(() => undefined);
  const isStale = (key: readonly string[]) => client.getQueryState(key)?.isInvalidated;
  expect([isStale(sessionKey), isStale(["site"])]).toEqual([true, true]);
  expect(client.getQueryData(sessionKey)).not.toBeNull();
});

test("other failures ask for neither", async () => {
  const client = createQueryClient();
  client.setQueryData(sessionKey, { id: "ada" });
  await client.fetchQuery({ queryKey: ["people"], ...refused(422) }).catch(() => undefined);
  expect(client.getQueryState(sessionKey)?.isInvalidated).toBe(false);
});
