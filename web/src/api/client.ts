import createClient from "openapi-fetch";
import { syncClock } from "@/time/clock";
import { ApiError } from "./problem";
import type { paths } from "./schema.gen";

/** The portal. A call either returns its data or throws an ApiError, which is what TanStack Query expects. */
export const portal = createClient<paths>({
  // Looked up at call time, so that tests and tracing can replace it.
  fetch: (request) => globalThis.fetch(request),
  credentials: "same-origin",
});

portal.use({
  async onResponse({ response }) {
    syncClock(response);
    if (!response.ok) throw await ApiError.from(response);
  },
  onError({ error }) {
    return error instanceof DOMException && error.name === "AbortError"
      ? error
      : ApiError.unreachable();
  },
});

/** The middleware has thrown on every failure, so the data is there. */
export async function dataOf<Data>(call: Promise<{ data?: Data }>): Promise<NonNullable<Data>> {
  const { data } = await call;
  return data as NonNullable<Data>;
}
