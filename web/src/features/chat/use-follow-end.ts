import { useEffect } from "react";

const near = 120;

/** Keep the end of a growing page in view, unless the reader has scrolled away. */
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
