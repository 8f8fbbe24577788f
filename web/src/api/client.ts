import type { Client } from "openapi-fetch";
import { syncClock } from "@/time/clock";
import { ApiError } from "./problem";
import type { paths } from "./schema.gen";

type Options = {
  signal?: AbortSignal;
  params?: { path?: Record<string, string>; query?: Record<string, unknown> };
  body?: unknown;
};

type Answer = { data?: unknown };
type Portal = Pick<Client<paths>, "GET" | "POST" | "PUT" | "PATCH" | "DELETE">;

/**
 * The portal. A call either returns its data or throws an ApiError, which is what TanStack Query
 * expects. The types are openapi-fetch's; its code would weigh on every page for what this does.
 */
export const portal = {
  GET: method("GET"),
  POST: method("POST"),
  PUT: method("PUT"),
  PATCH: method("PATCH"),
  DELETE: method("DELETE"),
} as unknown as Portal;

function method(name: string) {
  return async (path: string, { params, body, signal }: Options = {}): Promise<Answer> => {
    const response = await fetch(addressOf(path, params), {
      method: name,
      credentials: "same-origin",
      signal,
      ...(body !== undefined && {
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      }),
    }).catch((error: unknown) => {
      throw signal?.aborted ? error : ApiError.unreachable();
    });
    syncClock(response);
    if (!response.ok) throw await ApiError.from(response);
    return { data: response.status === 204 ? undefined : await response.json() };
  };
}

function addressOf(path: string, { path: names = {}, query = {} }: Options["params"] = {}): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(names[name]!));
  const asked = new URLSearchParams(
    Object.entries(query)
      .filter(([, value]) => value !== undefined && value !== null)
      .map(([name, value]) => [name, String(value)]),
  ).toString();
  return asked ? `${filled}?${asked}` : filled;
}

/** A failure was thrown before, so the data is there. */
export async function dataOf<Data>(call: Promise<{ data?: Data }>): Promise<NonNullable<Data>> {
  const { data } = await call;
  return data as NonNullable<Data>;
}
