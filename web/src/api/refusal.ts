import { serverNow } from "@/time/clock";
import { measures } from "./limits";
import { shorten } from "./problem";
import { retryTime } from "./retry-after";
import type { Measure } from "./types";

export type Quota = {
  kind: "quota";
  message: string;
  measure: Measure;
  /** The most that the request may use, of tokens and cost. Null of requests. */
  requested: number | null;
  limit: number;
  used: number;
  /** Null if API Gateway refused, which does not say. `resetsAt` then assumes a daily limit. */
  window: string | null;
  subject: string;
  usagePlanId: string | null;
  /** Null if unknown, or never. */
  resetsAt: string | null;
};

/** Why the gateway gave no (complete) response. Each kind has its own message. */
export type Failure =
  | Quota
  | { kind: "throttle"; message: string; measure: Measure; retryAt: number }
  | { kind: "upstream"; message: string }
  | { kind: "refused"; message: string }
  | { kind: "broken"; message: string }
  | { kind: "signed-out" }
  | { kind: "network" };

export class GatewayError extends Error {
  constructor(readonly failure: Failure) {
    super(failure.kind);
    this.name = "GatewayError";
  }
}

export async function failureOf(response: Response): Promise<Failure> {
  const body = asRecord(await response.json().catch(() => null));
  const error = asRecord(body.error);
  const message = shorten(text(error.message) ?? text(body.detail) ?? text(body.title) ?? "");
  const { status } = response;

  if (status === 429) {
    // Without a reset time, the upstream's own quota is used up, not the user's.
    if (error.code === "insufficient_quota") {
      return quotaOf(error, message) ?? { kind: "upstream", message };
    }
    const retryAt = retryTime(response) ?? serverNow() + 5_000;
    return { kind: "throttle", message, measure: measureOf(error), retryAt };
  }
  if (status === 401 && !body.error) return { kind: "signed-out" };
  return { kind: status >= 500 ? "upstream" : "refused", message };
}

function quotaOf(error: Record<string, unknown>, message: string): Quota | null {
  const byApiGateway = error.enforcer === "aws";
  const resetsAt = byApiGateway ? nextMidnight() : text(error.resets_at);
  const neverResets = error.window === "total" && error.resets_at === null;
  if (!neverResets && (!resetsAt || Number.isNaN(Date.parse(resetsAt)))) return null;
  return {
    kind: "quota",
    message,
    measure: measureOf(error),
    requested: typeof error.requested === "number" ? error.requested : null,
    limit: Number(error.limit) || 0,
    used: Number(error.used) || 0,
    window: byApiGateway ? null : (text(error.window) ?? "day"),
    subject: text(error.subject) ?? "key",
    usagePlanId: text(error.usage_plan_id),
    resetsAt,
  };
}

/** Return whether nothing is left, as opposed to less than the request may use. */
export function isSpent({ used, limit }: Quota): boolean {
  return used >= limit;
}

function measureOf(error: Record<string, unknown>): Measure {
  return measures.find((measure) => measure === error.measure) ?? "requests";
}

function nextMidnight(): string {
  const now = new Date(serverNow());
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate() + 1)).toISOString();
}

function text(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
