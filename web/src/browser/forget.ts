export type KeptFor = "ever" | "tab";

/** Remove the values whose name is chosen: those that are kept for ever, and those of this tab. */
export function forgetStored(isChosen: (name: string, keptFor: KeptFor) => boolean): void {
  try {
    for (const [storage, keptFor] of [[localStorage, "ever"], [sessionStorage, "tab"]] as const) {
      Object.keys(storage)
        .filter((name) => isChosen(name, keptFor))
        .forEach((name) => storage.removeItem(name));
    }
  } catch {
    // Where storage is forbidden nothing was kept.
  }
}

/** Remove everything that is kept for this tab. */
export function forgetTab(): void {
  forgetStored((_, keptFor) => keptFor === "tab");
}
