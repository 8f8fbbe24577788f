/** Forgets every value whose name begins so. */
export function forgetStored(prefix: string): void {
  try {
    for (const storage of [localStorage, sessionStorage]) {
      Object.keys(storage)
        .filter((name) => name.startsWith(prefix))
        .forEach((name) => storage.removeItem(name));
    }
  } catch {
    // Where storage is forbidden nothing was kept.
  }
}

/** Forgets all that is kept for this tab. */
export function forgetTab(): void {
  try {
    sessionStorage.clear();
  } catch {
    // Where storage is forbidden nothing was kept.
  }
}
