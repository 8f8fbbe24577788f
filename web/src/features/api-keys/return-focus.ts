import { useEffect } from "react";
import { storedValue } from "@/browser/stored-value";

/** The control to focus after a reload. */
const opener = storedValue("daypass.keys.opener", "tab");

/** Return the name of an action's control on a key's card. */
export const controlOf = (action: string, id: string) => `${action} ${id}`;

/** Remember a control by its `data-control` across a reload. */
export const returnFocusTo = (control: string) => opener.set(control);

/** Focus a control of the page, or the create button if it is gone. */
export function focusControl(control: string): void {
  const controls = [...document.querySelectorAll<HTMLElement>("[data-control]")];
  const found = controls.find((element) => element.dataset.control === control);
  (found ?? controls[0])?.focus();
}

/** Restore the focus after a reload. */
export function useReturnedFocus(): void {
  useEffect(() => {
    const control = opener.get();
    if (control === null) return;
    opener.set(null);
    focusControl(control);
  }, []);
}
