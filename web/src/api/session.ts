import { queryOptions, useQuery, type QueryClient } from "@tanstack/react-query";
import { forgetTab } from "@/browser/forget";
import { useHydrated } from "@/browser/use-hydrated";
import { forgetOtherAccounts, signedInAs } from "./account-storage";
import { portal } from "./client";
import { dropHeldKeys } from "./held-keys";
import { isStatus } from "./problem";
import type { Account } from "./types";

export const sessionKey = ["session"] as const;

/** Note who is signed in, and remove what other people have left in this browser. */
export function rememberSession(accountId: string): void {
  signedInAs.set(accountId);
  forgetOtherAccounts(accountId);
}

/** Note that somebody is signed in; the next answer about the session says who. */
export function expectSession(): void {
  if (signedInAs.get() === null) signedInAs.set("unknown");
}

/** Note that nobody is signed in, and remove what is kept for the time of a session. */
export function forgetSession(): void {
  signedInAs.set(null);
  forgetOtherAccounts(null);
  dropHeldKeys();
}

/** Go to the start page, with nothing of the account left in memory: it is a whole new page. */
export function leaveSite(): void {
  forgetSession();
  leavePage();
}

function leavePage(): void {
  forgetTab();
  // eslint-disable-next-line @next/next/no-location-assign-relative-destination -- see above
  window.location.assign("/");
}

/**
 * Leave the page when its account is no longer the one signed in: another tab has signed out or
 * signed somebody else in, or the browser has brought the page back from its history.
 */
export function watchSession(client: QueryClient): () => void {
  const check = () => {
    const account = client.getQueryData<Account | null>(sessionKey);
    if (account && signedInAs.get() !== account.id) leavePage();
  };
  if (signedInAs.get() === null) forgetOtherAccounts(null);
  window.addEventListener("storage", check);
  window.addEventListener("pageshow", check);
  return () => {
    window.removeEventListener("storage", check);
    window.removeEventListener("pageshow", check);
  };
}

const sessionQuery = queryOptions({
  queryKey: sessionKey,
  queryFn: async ({ signal }): Promise<Account | null> => {
    try {
      const account = await portal.GET("/api/session", { signal });
      rememberSession(account.id);
      return account;
    } catch (error) {
      if (!isStatus(error, 401)) throw error;
      forgetSession();
      return null;
    }
  },
  staleTime: 5 * 60_000,
});

/** The account that is signed in, null when nobody is, undefined while it is not known. */
export function useSession() {
  return useQuery(sessionQuery);
}

/** The same without asking the server for visitors who have not signed in here: they cause no 401. */
export function useLikelySession(): Account | null | undefined {
  const hydrated = useHydrated();
  const likely = signedInAs.useValue() !== null;
  const { data, isError } = useQuery({ ...sessionQuery, enabled: likely });
  if (!hydrated) return undefined;
  return likely && !isError ? data : (data ?? null);
}
