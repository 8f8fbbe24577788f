/** Format a local time, with the day unless it is today: "02:00", "Thu, 26 Nov, 02:00". */
export function formatInstant(iso: string, now: number): string {
  const instant = new Date(iso);
  const clock: Intl.DateTimeFormatOptions = { hour: "2-digit", minute: "2-digit" };
  const sameDay = instant.toDateString() === new Date(now).toDateString();
  return instant.toLocaleString(undefined, sameDay ? clock : { weekday: "short", day: "numeric", month: "short", ...clock });
}

/** Format a local time of day with seconds: "14:03:27". */
export function formatTime(iso: string): string {
  return new Date(iso).toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
}

/** Return an instant as the value of a `datetime-local` input. */
export function toDateTimeInput(iso: string): string {
  const at = new Date(iso);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** Return the instant that a `datetime-local` input holds, in UTC. */
export function fromDateTimeInput(value: string): string {
  return new Date(value).toISOString();
}

export function formatUtc(iso: string): string {
  return `${new Date(iso).toISOString().slice(11, 16)} UTC`;
}

/** Format a UTC day. Usage is stored by UTC day, so its dates must not shift with the time zone. */
export function formatUtcDate(date: string): string {
  return new Date(`${date}T00:00:00Z`).toLocaleDateString(undefined, {
    day: "numeric",
    month: "short",
    timeZone: "UTC",
  });
}

/** Format a local day: "25 Nov 2026". */
export function formatDate(iso: string): string {
  return new Date(iso).toLocaleDateString(undefined, { day: "numeric", month: "short", year: "numeric" });
}
