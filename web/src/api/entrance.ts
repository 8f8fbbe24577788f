import { useMutation, useQueryClient } from "@tanstack/react-query";
import { forgetTab } from "@/browser/stored-value";
import { dataOf, portal } from "./client";
import { forgetSession, rememberSession, sessionKey } from "./session";
import type { Account } from "./types";

export type Credentials = { email: string; password: string };

export function useSignIn() {
  return useOpenSession((credentials) => dataOf(portal.POST("/api/session", { body: credentials })));
}

export function useSignUp() {
  return useOpenSession((credentials) => dataOf(portal.POST("/api/accounts", { body: credentials })));
}

function useOpenSession(open: (credentials: Credentials) => Promise<Account>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: open,
    // The variables hold a password; nothing may keep them.
    gcTime: 0,
    onSuccess: (account) => {
      rememberSession();
      client.setQueryData(sessionKey, account);
      void client.invalidateQueries({ queryKey: ["site"] });
    },
  });
}

export function useSignOut() {
  return useMutation({
    mutationFn: () => portal.DELETE("/api/session"),
    onSuccess: () => {
      forgetSession();
      forgetTab();
      // eslint-disable-next-line @next/next/no-location-assign-relative-destination -- a whole new page keeps nothing of the account in memory
      window.location.assign("/");
    },
  });
}
