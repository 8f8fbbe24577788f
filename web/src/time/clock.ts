let offset = 0;

/** People's clocks are wrong; countdowns follow the server's, as its last answer told it. */
export function syncClock(response: Response, clientNow = Date.now()): void {
  const serverNow = Date.parse(response.headers.get("date") ?? "");
  if (Number.isNaN(serverNow)) return;
  const measured = serverNow - clientNow;
  // The header counts whole seconds, so anything within two is noise and would only make countdowns jump.
  if (Math.abs(measured - offset) > 2000) offset = measured;
}

export function serverNow(): number {
  return Date.now() + offset;
}
