import { queryOptions, useQuery } from "@tanstack/react-query";
import { storedValue } from "@/browser/stored-value";
import { useHydrated } from "@/browser/use-hydrated";
import { dataOf, portal } from "./client";
import { isStatus } from "./problem";
import type { Account } from "./types";

export const sessionKey = ["session"] as const;

// Visitors should cause no 401, so public pages ask for the session only where one was opened before.
const signedInBefore = storedValue("daypass.signed-in");

export function rememberSession(): void {
  signedInBefore.set("yes");
}

export function forgetSession(): void {
  signedInBefore.set(null);
}

const sessionQuery = queryOptions({
  queryKey: sessionKey,
  queryFn: async ({ signal }): Promise<Account | null> => {
    try {
      const account = await dataOf(portal.GET("/api/session", { signal }));
      rememberSession();
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

/** The same without asking the server for people who have never signed in here. */
export function useLikelySession(): Account | null | undefined {
  const hydrated = useHydrated();
  const likely = signedInBefore.useValue() !== null;
  const { data, isError } = useQuery({ ...sessionQuery, enabled: likely });
  if (!hydrated) return undefined;
  return likely && !isError ? data : (data ?? null);
}
