import { useCallback, useEffect, useRef, useState } from "react";

/** Text that may change many times a frame and is drawn once in each. */
export function usePaced(): [string, (text: string) => void] {
  const [shown, setShown] = useState("");
  const latest = useRef("");
  const frame = useRef<number>(undefined);

  const show = useCallback((text: string) => {
    latest.current = text;
    frame.current ??= requestAnimationFrame(() => {
      frame.current = undefined;
      setShown(latest.current);
    });
  }, []);

  useEffect(
    () => () => {
      if (frame.current !== undefined) cancelAnimationFrame(frame.current);
    },
    [],
  );

  return [shown, show];
}
