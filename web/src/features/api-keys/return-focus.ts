import { useEffect } from "react";
import { storedValue } from "@/browser/stored-value";

/** The control that the focus returns to after the page was loaded again. */
const opener = storedValue("daypass.keys.opener", "tab");

/** The name of an action's control on a key's card. */
export const controlOf = (action: string, id: string) => `${action} ${id}`;

/** Remember a control by its `data-control`, for after a reload. */
export const returnFocusTo = (control: string) => opener.set(control);

/** Focus one of the page's controls, or the one that makes a key where it is gone. */
export function focusControl(control: string): void {
  const controls = [...document.querySelectorAll<HTMLElement>("[data-control]")];
  const found = controls.find((element) => element.dataset.control === control);
  (found ?? controls[0])?.focus();
}

/** After a reload: put the focus back. */
export function useReturnedFocus(): void {
  useEffect(() => {
    const control = opener.get();
    if (control === null) return;
    opener.set(null);
    focusControl(control);
  }, []);
}
