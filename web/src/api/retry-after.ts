import { serverNow } from "@/time/clock";
import { ApiError } from "./problem";

/** Return when a response's Retry-After ends, or null without one. */
export function retryTime(response: Response | undefined): number | null {
  const seconds = Number(response?.headers.get("retry-after") ?? NaN);
  return Number.isFinite(seconds) ? serverNow() + seconds * 1000 : null;
}

/** Return when a throttled call may be retried. */
export function retryTimeOf(error: unknown): number | null {
  return error instanceof ApiError && error.status === 429 ? retryTime(error.response) : null;
}
