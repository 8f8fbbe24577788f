import { serverNow } from "@/time/clock";
import { ApiError } from "./problem";

/** When an answer's Retry-After is over; null where it has none. */
export function retryTime(response: Response | undefined): number | null {
  const seconds = Number(response?.headers.get("retry-after") ?? NaN);
  return Number.isFinite(seconds) ? serverNow() + seconds * 1000 : null;
}

/** The same of a failed call that came too early. */
export function retryTimeOf(error: unknown): number | null {
  return error instanceof ApiError && error.status === 429 ? retryTime(error.response) : null;
}
