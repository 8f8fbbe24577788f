const start = "/keys/";

export function signInAddress(from: string): string {
  return from === start ? "/sign-in/" : `/sign-in/?next=${encodeURIComponent(from)}`;
}

/** Where to go once signed in. Only paths of this site: the parameter may come from anybody. */
export function returnAddress(search: string, origin: string): string {
  const next = new URLSearchParams(search).get("next");
  if (!next?.startsWith("/") || !URL.canParse(next, origin)) return start;
  const target = new URL(next, origin);
  return target.origin === origin ? target.pathname + target.search : start;
}
