import { useEffect } from "react";

const near = 120;

/** Keeps the page's end in view while the page grows, unless the reader has scrolled away from it. */
export function useFollowEnd(): void {
  useEffect(() => {
    let following = true;
    const onScroll = () => {
      const { scrollHeight, scrollTop, clientHeight } = document.documentElement;
      following = scrollHeight - scrollTop - clientHeight < near;
    };
    const growth = new ResizeObserver(() => {
      if (following) window.scrollTo({ top: document.documentElement.scrollHeight });
    });
    window.addEventListener("scroll", onScroll, { passive: true });
    growth.observe(document.body);
    return () => {
      window.removeEventListener("scroll", onScroll);
      growth.disconnect();
    };
  }, []);
}
