const focusable =
  "a[href], button:not(:disabled), input:not(:disabled), select:not(:disabled), textarea:not(:disabled), summary, [tabindex='0']";

/** Return an element's ancestors, nearest first, each with the child index that leads to the element. */
export type Place = { ancestor: Element; index: number }[];

export function placeOf(element: Element): Place {
  const place: Place = [];
  for (let child = element; child.parentElement; child = child.parentElement) {
    place.push({
      ancestor: child.parentElement,
      index: [...child.parentElement.children].indexOf(child),
    });
  }
  return place;
}

/** Focus what now occupies an element's place, or else the nearest control around it. */
export function focusPlace(place: Place): void {
  for (const { ancestor, index } of place) {
    if (!ancestor.isConnected) continue;
    // The whole page changed: start reading at the top.
    if (ancestor instanceof HTMLElement && ancestor.matches("main")) return ancestor.focus();
    const { children } = ancestor;
    const successor = children[Math.min(index, children.length - 1)];
    const control = (successor && controlIn(successor)) ?? controlIn(ancestor);
    if (control) return control.focus();
  }
}

/**
 * Keep the keyboard position when the focused control is removed. Browsers would otherwise restart
 * at the top of the page. Returns a function that stops this.
 */
export function keepFocus(): () => void {
  let focused: Element | null = null;
  let place: Place = [];

  const onFocus = ({ target }: FocusEvent) => {
    if (!(target instanceof Element)) return;
    focused = target;
    place = placeOf(target);
  };
  const onBlur = ({ target }: FocusEvent) => {
    // A removed element may lose focus with this event too, and is detached shortly after.
    queueMicrotask(() => {
      if (target === focused && focused?.isConnected) focused = null;
    });
  };
  const observer = new MutationObserver(() => {
    if (!focused || focused.isConnected) return;
    focused = null;
    if (document.activeElement === document.body) focusPlace(place);
  });

  document.addEventListener("focusin", onFocus);
  document.addEventListener("focusout", onBlur);
  observer.observe(document.body, { childList: true, subtree: true });
  return () => {
    document.removeEventListener("focusin", onFocus);
    document.removeEventListener("focusout", onBlur);
    observer.disconnect();
  };
}

function controlIn(element: Element): HTMLElement | undefined {
  const controls = [element, ...element.querySelectorAll(focusable)];
  return controls.find(
    (control): control is HTMLElement =>
      control instanceof HTMLElement && control.matches(focusable) && control.checkVisibility(),
  );
}
