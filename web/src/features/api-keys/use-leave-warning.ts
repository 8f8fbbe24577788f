import { useEffect, useEffectEvent } from "react";
import * as strings from "@/strings";

/**
 * While a key is shown: asks before the page is left if nothing was copied, by a link of the site
 * or in any other way. `onLeave` follows a link of the site.
 */
export function useLeaveWarning(copied: boolean, onLeave: (href: string) => void): void {
  const leave = useEffectEvent(onLeave);

  useEffect(() => {
    if (copied) return;
    const onUnload = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener("beforeunload", onUnload);
    return () => window.removeEventListener("beforeunload", onUnload);
  }, [copied]);

  useEffect(() => {
    const onClick = (event: MouseEvent) => {
      const link = event.target instanceof Element && event.target.closest<HTMLAnchorElement>("a[href]");
      if (!link || opensElsewhere(event, link)) return;
      event.preventDefault();
      event.stopPropagation();
      if (copied || window.confirm(strings.keys.confirmLeave)) leave(link.href);
    };
    // In the capture phase: before the router sees the click.
    document.addEventListener("click", onClick, true);
    return () => document.removeEventListener("click", onClick, true);
  }, [copied]);
}

function opensElsewhere(event: MouseEvent, link: HTMLAnchorElement): boolean {
  const { ctrlKey, metaKey, shiftKey, altKey } = event;
  return (
    ctrlKey || metaKey || shiftKey || altKey ||
    link.origin !== window.location.origin ||
    // A place on this page, such as the content that the skip link leads to.
    (link.hash !== "" && link.pathname === window.location.pathname)
  );
}
