import { useSyncExternalStore } from "react";

const never = () => () => {};

/** The name that /api/site.js put on the page before the first paint. Null if there is none. */
export function useMarkedName(): string | null {
  return useSyncExternalStore(
    never,
    () => document.documentElement.dataset.siteName ?? null,
    () => null,
  );
}

/** Load the site's colour and logo again after an operator changed them. */
export function reloadSiteStyles(hasLogo: boolean): void {
  const before = document.querySelectorAll('link[href^="/api/site.css"]');
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = `/api/site.css?at=${Date.now()}`;
  link.onload = () => before.forEach((old) => old.remove());
  document.head.append(link);
  if (hasLogo) document.documentElement.dataset.logo = "";
  else delete document.documentElement.dataset.logo;
}
