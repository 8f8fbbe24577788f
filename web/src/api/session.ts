import { queryOptions, useQuery, type QueryClient } from "@tanstack/react-query";
import { forgetTab } from "@/browser/forget";
import { useHydrated } from "@/browser/use-hydrated";
import { forgetOtherAccounts, signedInAs } from "./account-storage";
import { portal } from "./client";
import { dropHeldKeys } from "./held-keys";
import { isStatus } from "./problem";
import type { Account } from "./types";

export const sessionKey = ["session"] as const;

const unknown = "unknown";

/** Record who is signed in, and remove what other accounts left in this browser. */
export function rememberSession(accountId: string): void {
  signedInAs.set(accountId);
  forgetOtherAccounts(accountId);
}

/** Record that someone is signed in. The next session response says who. */
export function expectSession(): void {
  if (signedInAs.get() === null) signedInAs.set(unknown);
}

/** Record that no one is signed in, and remove what is stored for the session only. */
export function forgetSession(): void {
  signedInAs.set(null);
  forgetOtherAccounts(null);
  dropHeldKeys();
}

/** Load the home page as a new document, so that nothing of the account stays in memory. */
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
 * Leave the page when its account is no longer signed in: another tab signed out or signed in
 * as someone else, or the browser restored the page from its history.
 */
export function watchSession(client: QueryClient): () => void {
  const first = signedInAs.get();
  const check = () => {
    const account = client.getQueryData<Account | null>(sessionKey);
    // Before the session is known, other requests may have been answered for who was there first.
    const pageIsOf = account === undefined ? first : account?.id;
    if (!pageIsOf || pageIsOf === unknown) return;
    if (signedInAs.get() !== pageIsOf) leavePage();
  };
  if (signedInAs.get() === null) forgetOtherAccounts(null);
  window.addEventListener("storage", check);
  window.addEventListener("pageshow", check);
  return () => {
    window.removeEventListener("storage", check);
    window.removeEventListener("pageshow", check);
  };
}

/** Ask who is signed in, again if another tab has signed in or out before the answer came. */
async function loadSession(signal: AbortSignal): Promise<Account | null> {
  const before = signedInAs.get();
  const account = await portal.GET("/api/session", { signal }).catch((error: unknown) => {
    if (isStatus(error, 401)) return null;
    throw error;
  });
  const now = signedInAs.get();
  if (now !== before && now !== (account?.id ?? null)) return loadSession(signal);
  if (account) rememberSession(account.id);
  else forgetSession();
  return account;
}

export const sessionQuery = queryOptions({
  queryKey: sessionKey,
  queryFn: ({ signal }) => loadSession(signal),
  staleTime: 5 * 60_000,
});

/** Ask again who is signed in and which terms the site has, after the server has refused something. */
export async function refreshRights(client: QueryClient): Promise<void> {
  await Promise.all([sessionKey, ["site"]].map((queryKey) => client.invalidateQueries({ queryKey })));
}

/** Return the signed-in account, null if there is none, undefined while unknown. */
export function useSession() {
  return useQuery(sessionQuery);
}

/** Like `useSession`, without a request (and its 401) for visitors who never signed in here. */
export function useLikelySession(): Account | null | undefined {
  const hydrated = useHydrated();
  const likely = signedInAs.useValue() !== null;
  const { data, isError } = useQuery({ ...sessionQuery, enabled: likely });
  if (!hydrated) return undefined;
  return likely && !isError ? data : (data ?? null);
}
