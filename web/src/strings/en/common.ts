import { count } from "./count";

export const product = "Daypass";

export const description =
  "Get an API key with a daily allowance, use it with any OpenAI client, and see what is left of the day.";

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
  people: "People",
  allKeys: "Keys of everybody",
  usagePlans: "Plans",
  signUpPolicy: "Sign-up",
  auditLog: "Audit log",
  docs: "API reference",
  notFound: "Page not found",
};

export const errors = {
  unreachable: "The server cannot be reached. Check your connection and try again.",
  unexpected: "Something went wrong on our side. Try again in a moment.",
  retry: "Try again",
  loadFailed: "This could not be loaded",
  pageFailed: "This page ran into a problem",
  home: "Go to the start page",
  notFoundText: "There is nothing at this address. It may have moved, or the link may be mistyped.",
};

export const actions = { copy: "Copy", copied: "Copied", copyFailed: "Press Ctrl+C to copy", cancel: "Cancel", close: "Close", save: "Save" };

export const plans = {
  empty: "There are no plans to choose from yet.",
  choose: "Choose this plan",
  withBurst: (rate: string, burst: number) => `${rate}, ${burst.toLocaleString("en")} at once`,
  maxOutput: (tokens: number) => `Answers of up to ${count(tokens, "token", "tokens")}`,
  maxConcurrent: (requests: number) => `${count(requests, "request", "requests")} at the same time`,
  maxKeyDays: (days: number) => `Keys last up to ${count(days, "day", "days")}`,
  allModels: "All models",
  everyWay: "By the API and in the chat",
};

export const snippets = { label: "The same request with different clients" };
