import { count } from "./count";
import { dollars, quantity } from "./quantity";

const outcomes: Record<string, string> = {
  counted: "Counted",
  given_back: "Given back",
  refused: "Refused",
  not_counted: "Not counted",
};

const reasons: Record<string, string> = {
  give_backs_spent: "it failed, and no more failures are given back today",
  key_concurrent: "the key had too many requests in progress",
  account_concurrent: "the account had too many requests in progress",
  caller_left: "the client disconnected",
  upstream_429: "the upstream was busy",
  upstream_unreachable: "the upstream could not be reached",
  upstream_timeout: "the upstream did not answer in time",
  upstream_broke_off: "the upstream connection was lost",
  upstream_misconfigured: "the upstream rejected this site's key or address",
};

const subjects: Record<string, string> = { key: "key", account: "account", site: "site" };

/**
 * Describe a reason. A limit is named by its subject and window, such as `key_week`, and by its
 * measure if that is not requests: `key_week_tokens`.
 */
function reasonOf(reason: string): string {
  const [, subject = "", window = "", measure = ""] =
    /^([a-z]+)_(minute|hour|day|week|month|total)(?:_(tokens|cost))?$/.exec(reason) ?? [];
  if (subject in subjects) {
    const what = measure ? `limit on ${measure}` : "limit";
    const rate = window === "total" ? "in total" : `per ${window}`;
    return `the ${subjects[subject]}'s ${what} ${rate} was reached`;
  }
  const [, status] = /^upstream_(\d{3})$/.exec(reason) ?? [];
  return reasons[reason] ?? (status && `the upstream returned ${status}`) ?? reason.replaceAll("_", " ");
}

const amounts = (tokens: number, cost: number) =>
  [...(tokens > 0 ? [quantity("tokens", tokens)] : []), ...(cost > 0 ? [quantity("cost", cost)] : [])].join(", ");

export const usage = {
  title: "Usage",
  text: "Days run from 00:00 to 24:00 UTC.",
  today: "Today",
  account: "All keys",
  usedToday: (tokens: number, cost: number) => `${amounts(tokens, cost)} used or reserved today`,
  perKey: "By key",
  history: "Last 30 days",
  served: "Served",
  refused: "Refused",
  others: "Other",
  noModel: "No model",
  splitBy: "Split by",
  splits: { key: "Key", model: "Model", via: "API and chat" },
  measure: "Show",
  measures: { requests: "Requests", tokens: "Tokens", cost: "Cost" },
  total: (served: number, refused: number) => `${count(served, "request", "requests")} served, ${refused.toLocaleString("en")} refused`,
  totalTokens: (input: number, output: number) => `${input.toLocaleString("en")} tokens in, ${output.toLocaleString("en")} out`,
  totalCost: (cost: number) => `${dollars(cost)} spent`,
  totalReserved: (tokens: number, cost: number) =>
    `Reserved by running requests, or by ones that reported no usage: ${amounts(tokens, cost)}`,
  chartLabel: (what: string, by: string) => `${what} per day for 30 days, split by ${by}. The table below has the numbers.`,
  bar: (date: string, parts: string) => `${date}: ${parts || "nothing"}`,
  columns: { date: "Day", key: "Key", model: "Model", via: "Via", requests: "Requests", refused: "Refused", input: "Tokens in", cached: "Cached", output: "Tokens out", reasoning: "Reasoning", audio: "Audio", cost: "Cost", reserved: "Reserved" },
  via: { api: "API", chat: "Chat" } as Record<string, string>,
  table: "Usage by day, key and model",
  empty: "No usage in the last 30 days. Your first request will appear here.",
  noKeys: "No keys yet.",
  requests: "Recent requests",
  requestsTable: "List of recent requests",
  requestsText: "The last 200 requests from the past 7 days and how each was counted. Prompts and answers are not stored.",
  noRequests: "No requests in the last 7 days.",
  requestColumns: { time: "Time", key: "Key", model: "Model", outcome: "Outcome", status: "Status", remaining: "Requests left", reserved: "Reserved", settled: "Settled", id: "Request ID" },
  became: (outcome: string, reason: string) => {
    const what = outcomes[outcome] ?? outcome;
    return reason ? `${what}: ${reasonOf(reason)}` : what;
  },
  amounts,
  download: "Download CSV",
};
