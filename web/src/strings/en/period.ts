const periods: Record<string, string> = {
  minute: "this minute",
  hour: "this hour",
  day: "today",
  week: "this week",
  month: "this month",
  total: "in total",
};

/** Return a quota window in words, such as " today", or "" if the window is unknown. */
export function period(window: string | null | undefined): string {
  return window && window in periods ? ` ${periods[window]}` : "";
}
