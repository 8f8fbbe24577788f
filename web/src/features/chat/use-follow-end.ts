import { useEffect, useLayoutEffect, useRef, type RefObject } from "react";

const near = 120;

/** Keeps the end in view while it moves, unless the reader has scrolled away from it. */
export function useFollowEnd(end: RefObject<HTMLElement | null>, progress: string): void {
  const following = useRef(true);

  useEffect(() => {
    const onScroll = () => {
      const { scrollHeight, scrollTop, clientHeight } = document.documentElement;
      following.current = scrollHeight - scrollTop - clientHeight < near;
    };
    window.addEventListener("scroll", onScroll, { passive: true });
    return () => window.removeEventListener("scroll", onScroll);
  }, []);

  useLayoutEffect(() => {
    if (!following.current || !end.current) return;
    window.scrollTo({ top: document.documentElement.scrollHeight });
  }, [end, progress]);
}
