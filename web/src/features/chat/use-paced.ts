import { useCallback, useEffect, useRef, useState } from "react";

/** Rendering takes at most a quarter of the time, so that a long answer does not freeze the page. */
const restPerDraw = 3;

/**
 * Return text that may change many times per frame, and its setter. It renders once per frame,
 * and less often if rendering is slow.
 */
export function usePaced(): [string, (text: string) => void] {
  const [shown, setShown] = useState("");
  const latest = useRef("");
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const frame = useRef<number>(undefined);
  const drawing = useRef<number>(undefined);
  const restUntil = useRef(0);

  const show = useCallback((text: string) => {
    latest.current = text;
    timer.current ??= setTimeout(
      () => {
        frame.current = requestAnimationFrame(() => {
          timer.current = undefined;
          drawing.current = performance.now();
          setShown(latest.current);
        });
      },
      Math.max(0, restUntil.current - performance.now()),
    );
  }, []);

  useEffect(() => {
    if (drawing.current === undefined) return;
    const now = performance.now();
    restUntil.current = now + restPerDraw * (now - drawing.current);
    drawing.current = undefined;
  }, [shown]);

  useEffect(
    () => () => {
      clearTimeout(timer.current);
      timer.current = undefined;
      if (frame.current !== undefined) cancelAnimationFrame(frame.current);
    },
    [],
  );

  return [shown, show];
}
