const periods: Record<string, string> = {
  minute: "this minute",
  hour: "this hour",
  day: "today",
  week: "this week",
  month: "this month",
  total: "in total",
};

/** The window that a quota counts in, as people say it: "today"; nothing where none is known. */
export function period(window: string | null | undefined): string {
  return window && window in periods ? ` ${periods[window]}` : "";
}
