import { useEffect } from "react";
import * as strings from "@/strings";

// Not a name that merely contains the product's.
const exported = new RegExp(`^${strings.product}(?=: )|(?<=· )${strings.product}$`);

/** Put the site's name into titles, which pages are exported with the product's name in. */
export function useSiteTitle(name: string): void {
  useEffect(() => {
    let last = "";
    const rename = () => {
      if (document.title === last) return;
      last = document.title.replace(exported, () => name);
      if (document.title !== last) document.title = last;
    };
    rename();
    const observer = new MutationObserver(rename);
    observer.observe(document.head, { childList: true, subtree: true, characterData: true });
    return () => observer.disconnect();
  }, [name]);
}
