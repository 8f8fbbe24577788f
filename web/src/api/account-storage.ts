import { forgetStored, type KeptFor } from "@/browser/forget";
import { storedValue } from "@/browser/stored-value";

/** The id of the account that this browser is signed in to, as far as it knows. */
export const signedInAs = storedValue("daypass.signed-in");

const draft = "draft";

/**
 * One value that this browser keeps for an account. It is written only while the account is signed
 * in: an answer that ends after signing out, here or in another tab, must not bring it back.
 */
export function accountValue(accountId: string, name: string, keptFor: KeptFor = "ever") {
  const value = storedValue(prefix(accountId) + name, keptFor);
  return {
    ...value,
    set: (next: string | null) => {
      if (next === null || signedInAs.get() === accountId) value.set(next);
    },
  };
}

/** What somebody is writing, in this tab alone: it survives a session that expires meanwhile. */
export function accountDraft(accountId: string) {
  return accountValue(accountId, draft, "tab");
}

/** Whether what this browser keeps for the account outlasts the session; null: no. */
export function keepOnDevice(accountId: string) {
  return storedValue(`daypass.keep.${accountId}`);
}

/**
 * Remove what is kept for every account other than the one signed in (null: nobody is), unless its
 * owner chose to keep it on this device.
 */
export function forgetOtherAccounts(signedIn: string | null): void {
  forgetStored((name, keptFor) => {
    const [, accountId, value] = /^daypass\.chat\.([^.]+)\.(.+)$/.exec(name) ?? [];
    if (!accountId || accountId === signedIn) return false;
    if (keptFor === "ever") return keepOnDevice(accountId).get() === null;
    return signedIn !== null || value !== draft;
  });
}

/** Remove all that this browser keeps for an account, whatever its owner chose. */
export function forgetAccount(accountId: string): void {
  keepOnDevice(accountId).set(null);
  forgetStored((name) => name.startsWith(prefix(accountId)));
}

function prefix(accountId: string): string {
  return `daypass.chat.${accountId}.`;
}
