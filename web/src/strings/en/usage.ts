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
  caller_left: "the caller left",
  upstream_429: "the upstream was busy",
  upstream_unreachable: "the upstream could not be reached",
  upstream_timeout: "the upstream did not answer in time",
  upstream_broke_off: "the upstream broke off",
  upstream_misconfigured: "the upstream refused this site's own key or address",
};

const subjects: Record<string, string> = { key: "key", account: "account", site: "whole site" };

/**
 * A limit that refused a request is named `key_week` or `key_week_tokens`: what it holds for, its
 * window, and its measure unless that is requests.
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
  return reasons[reason] ?? (status && `the upstream answered ${status}`) ?? reason.replaceAll("_", " ");
}

const amounts = (tokens: number, cost: number) =>
  [...(tokens > 0 ? [quantity("tokens", tokens)] : []), ...(cost > 0 ? [quantity("cost", cost)] : [])].join(", ");

export const usage = {
  title: "Usage",
  text: "Days are counted from 00:00 to 24:00 UTC.",
  today: "Today",
  account: "All keys together",
  perKey: "By key",
  history: "Last 30 days",
  served: "Served",
  refused: "Refused",
  others: "Others",
  noModel: "No model",
  splitBy: "Split by",
  splits: { key: "Key", model: "Model", via: "API and chat" },
  measure: "Show",
  measures: { requests: "Requests", tokens: "Tokens", cost: "Cost" },
  total: (served: number, refused: number) => `${count(served, "request", "requests")} served, ${refused.toLocaleString("en")} refused`,
  totalTokens: (input: number, output: number) => `${input.toLocaleString("en")} tokens in, ${output.toLocaleString("en")} out`,
  totalCost: (cost: number) => `${dollars(cost)} spent`,
  totalReserved: (tokens: number, cost: number) =>
    `Reserved by requests that run now or reported no usage: ${amounts(tokens, cost)}`,
  chartLabel: (what: string, by: string) => `${what} by day for 30 days, split by: ${by}. The figures are in the table below.`,
  bar: (date: string, parts: string) => `${date}: ${parts || "nothing"}`,
  columns: { date: "Day", key: "Key", model: "Model", via: "Via", requests: "Requests", refused: "Refused", input: "Tokens in", cached: "Cached", output: "Tokens out", reasoning: "Reasoning", audio: "Audio", cost: "Cost", reserved: "Reserved" },
  via: { api: "API", chat: "Chat" } as Record<string, string>,
  table: "Usage by day, key and model",
  empty: "Nothing used in the last 30 days. Your first request will show up here.",
  noKeys: "No keys yet.",
  requests: "Recent requests",
  requestsTable: "Table of recent requests",
  requestsText: "What became of each: the last 200 of the last 7 days. Prompts and answers are not kept.",
  noRequests: "No requests in the last 7 days.",
  requestColumns: { time: "Time", key: "Key", model: "Model", outcome: "Outcome", status: "Status", remaining: "Requests left", reserved: "Reserved", settled: "Settled", id: "Request id" },
  became: (outcome: string, reason: string) => {
    const what = outcomes[outcome] ?? outcome;
    return reason ? `${what}: ${reasonOf(reason)}` : what;
  },
  amounts,
  download: "Download CSV",
};
