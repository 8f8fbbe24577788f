const start = "/keys/";

export function signInAddress(from: string): string {
  return from === start ? "/sign-in/" : `/sign-in/?next=${encodeURIComponent(from)}`;
}

/**
 * Return where to go after sign-in: where the visit was interrupted, or `home`. Only paths on this
 * site, because anyone can set the parameter.
 */
export function returnAddress(search: string, origin: string, home = start): string {
  const next = new URLSearchParams(search).get("next");
  if (!next?.startsWith("/") || !URL.canParse(next, origin)) return home;
  const target = new URL(next, origin);
  return target.origin === origin ? target.pathname + target.search : home;
}
