import { count } from "./count";

export const usage = {
  title: "Usage",
  text: "Days are counted from 00:00 to 24:00 UTC.",
  today: "Today",
  account: "All keys together",
  perKey: "By key",
  history: "Last 30 days",
  served: "Served",
  refused: "Refused",
  total: (served: number, refused: number) => `${count(served, "request", "requests")} served, ${count(refused, "one refused", "refused")}`,
  chartLabel: (served: number, refused: number) =>
    `Requests by day for 30 days: ${served} served, ${refused} refused in all. The table below has the figures.`,
  bar: (date: string, served: number, refused: number) => `${date}: ${served} served, ${refused} refused`,
  columns: { date: "Day", key: "Key", model: "Model", via: "Via", requests: "Requests", refused: "Refused", input: "Tokens in", output: "Tokens out" },
  via: { api: "API", chat: "Chat" } as Record<string, string>,
  table: "Usage by day, key and model",
  empty: "Nothing used in the last 30 days. Your first request will show up here.",
  noKeys: "No keys yet.",
  download: "Download CSV",
};
