import { useEffect, useEffectEvent } from "react";
import * as strings from "@/strings";

/**
 * While a key is shown and not copied, ask before the page is left by a link or any other way.
 * `onLeave` follows a link on the site.
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
    // Use the capture phase to act before the router sees the click.
    document.addEventListener("click", onClick, true);
    return () => document.removeEventListener("click", onClick, true);
  }, [copied]);
}

function opensElsewhere(event: MouseEvent, link: HTMLAnchorElement): boolean {
  const { ctrlKey, metaKey, shiftKey, altKey } = event;
  return (
    ctrlKey || metaKey || shiftKey || altKey ||
    link.origin !== window.location.origin ||
    // A target on this page, such as that of the skip link.
    (link.hash !== "" && link.pathname === window.location.pathname)
  );
}
