export type KeptFor = "ever" | "tab";

/** Remove the matching values from local and session storage. */
export function forgetStored(isChosen: (name: string, keptFor: KeptFor) => boolean): void {
  try {
    for (const [storage, keptFor] of [[localStorage, "ever"], [sessionStorage, "tab"]] as const) {
      Object.keys(storage)
        .filter((name) => isChosen(name, keptFor))
        .forEach((name) => storage.removeItem(name));
    }
  } catch {
    // Storage is blocked, so nothing was stored.
  }
}

/** Clear this tab's session storage. */
export function forgetTab(): void {
  forgetStored((_, keptFor) => keptFor === "tab");
}
