import { count } from "./count";

export const product = "Daypass";

export const description =
  "Get an API key with a daily allowance, use it with any OpenAI client, and see how much is left.";

export const units = { days: "d", hours: "h", minutes: "min", seconds: "s" };

export const windows = { minute: "per minute", hour: "per hour", day: "per day", week: "per week", month: "per month", total: "in total" };

export const titles = {
  landing: "Daypass: API keys with a daily allowance",
  signUp: "Create your account",
  signIn: "Sign in",
  forgotPassword: "Forgot password",
  resetPassword: "New password",
  setup: "Set up",
  confirm: "Confirm your address",
  keys: "API keys",
  chat: "Chat",
  usage: "Usage",
  account: "Account",
  operator: "Operator",
  live: "Live",
  people: "People",
  person: "Person",
  allKeys: "All keys",
  usagePlans: "Plans",
  upstreams: "Upstreams",
  signUpPolicy: "Sign-up",
  settings: "Settings",
  auditLog: "Audit log",
  tokens: "Admin tokens",
  docs: "API reference",
  terms: "Terms",
  notFound: "Page not found",
};

export const errors = {
  unreachable: "Could not reach the server. Check your connection and try again.",
  unexpected: "Something went wrong on our side. Try again in a moment.",
  retry: "Try again",
  loadFailed: "Could not load this",
  pageFailed: "Something went wrong on this page",
  home: "Go to the home page",
  notFoundText: "This page does not exist. It may have moved, or the link may be mistyped.",
};

export const actions = { copy: "Copy", copied: "Copied", copyFailed: "Press Ctrl+C to copy", cancel: "Cancel", close: "Close", save: "Save" };

export const plans = {
  empty: "No plans are available yet.",
  choose: "Choose this plan",
  withBurst: (rate: string, burst: number) => `${rate}, bursts of ${burst.toLocaleString("en")}`,
  maxOutput: (tokens: number) => `Up to ${count(tokens, "output token", "output tokens")} per request`,
  maxConcurrent: (requests: number) => `Up to ${count(requests, "request", "requests")} at a time`,
  maxKeyDays: (days: number) => `Keys last up to ${count(days, "day", "days")}`,
  /** Takes names of options, such as `tokens_per_day`. */
  notEnforced: (options: string[]) =>
    `API Gateway does not enforce: ${options.join(", ").replaceAll("_", " ")}`,
  allModels: "All models",
  everyWay: "API and chat",
};

export const snippets = { label: "The same request in different clients" };
