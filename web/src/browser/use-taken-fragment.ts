import { useEffect, useState } from "react";

/**
 * What a link carries behind its `#`, removed from the address bar and from the history as soon as it
 * is read, so that nobody finds a secret there later. Null until it is known; empty without one.
 */
export function useTakenFragment(): string | null {
  const [taken, setTaken] = useState<string | null>(null);

  useEffect(() => {
    function take() {
      const { hash, pathname, search } = window.location;
      if (hash) window.history.replaceState(window.history.state, "", pathname + search);
      // An effect that runs twice finds nothing the second time.
      setTaken((before) => hash.slice(1) || before || "");
    }
    take();
    // A second link that is opened in the same tab changes the fragment and loads nothing.
    window.addEventListener("hashchange", take);
    return () => window.removeEventListener("hashchange", take);
  }, []);

  return taken;
}
