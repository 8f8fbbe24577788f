import { forgetStored, type KeptFor } from "@/browser/forget";
import { storedValue } from "@/browser/stored-value";

/** The ID of the account that this browser believes is signed in. */
export const signedInAs = storedValue("daypass.signed-in");

/**
 * A value stored in this browser for an account. It is written only while the account is signed
 * in, so a response that ends after sign-out, here or in another tab, cannot restore it.
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

/** A draft, in this tab only. */
export function accountDraft(accountId: string) {
  return accountValue(accountId, "draft", "tab");
}

/** Whether the account's stored values outlast the session. Null means no. */
export function keepOnDevice(accountId: string) {
  return storedValue(`daypass.keep.${accountId}`);
}

/**
 * Remove the stored values of all accounts except the signed-in one (null: none), unless their
 * owner chose to keep them on this device.
 */
export function forgetOtherAccounts(signedIn: string | null): void {
  forgetStored((name, keptFor) => {
    const accountId = /^daypass\.chat\.([^.]+)\./.exec(name)?.[1];
    if (!accountId || accountId === signedIn) return false;
    if (keepOnDevice(accountId).get() === null) return true;
    return keptFor === "tab" && signedIn !== null;
  });
}

/** Remove everything stored for an account, even if its owner chose to keep it. */
export function forgetAccount(accountId: string): void {
  keepOnDevice(accountId).set(null);
  forgetStored((name) => name.startsWith(prefix(accountId)));
}

function prefix(accountId: string): string {
  return `daypass.chat.${accountId}.`;
}
