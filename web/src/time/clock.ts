let offset = 0;

/** Clocks on users' computers may be wrong, so countdowns follow the server's `Date` header. */
export function syncClock(response: Response, clientNow = Date.now()): void {
  const serverNow = Date.parse(response.headers.get("date") ?? "");
  if (Number.isNaN(serverNow)) return;
  const measured = serverNow - clientNow;
  // The header has whole seconds, so a difference below two is noise that would make countdowns jump.
  if (Math.abs(measured - offset) > 2000) offset = measured;
}

export function serverNow(): number {
  return Date.now() + offset;
}
