import { useEffect, useState } from "react";

/**
 * Return the parameters of the URL fragment, and remove it from the address bar and the history at
 * once, so that no secret stays there. Null until known; empty without a fragment.
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
    // A second link opened in the same tab changes the fragment without loading the page.
    window.addEventListener("hashchange", take);
    return () => window.removeEventListener("hashchange", take);
  }, []);

  return taken;
}
