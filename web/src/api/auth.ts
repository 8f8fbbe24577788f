import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { portal } from "./client";
import { expectSession, leaveSite, rememberSession, sessionKey } from "./session";
import type { Account, MailSent } from "./types";

export type Credentials = { email: string; password: string };
export type NewAccount = { email: string; password?: string; invitation?: string };
type NewPassword = { token: string; password: string };
type Departure = { next: string; invitation?: string };

export function useSignIn() {
  return useOpenSession((credentials: Credentials) =>
    portal.POST("/api/session", { body: credentials }),
  );
}

/** Ends with the new account or, on a site that sends mail, with the address that a mail went to. */
export function useSignUp() {
  return useOpenSession((account: NewAccount) =>
    portal.POST("/api/accounts", { body: account }),
  );
}

/** Creates the operator's account, by the token of the set-up link. */
export function useSetUp(token: string) {
  return useOpenSession((credentials: Credentials) =>
    portal.POST("/api/setup", { body: { ...credentials, token } }),
  );
}

function useOpenSession<Wanted, Opened extends Account | MailSent>(
  open: (wanted: Wanted) => Promise<Opened>,
) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: open,
    // The variables hold a password; nothing may keep them.
    gcTime: 0,
    onSuccess: (opened) => {
      if (!("id" in opened)) return;
      rememberSession(opened.id);
      // Somebody else may have been signed in on this page before.
      client.removeQueries({ queryKey: ["account"] });
      client.setQueryData(sessionKey, opened);
      void client.invalidateQueries({ queryKey: ["site"] });
    },
  });
}

export function useSignOut() {
  return useMutation({
    mutationFn: () => portal.DELETE("/api/session"),
    onSuccess: leaveSite,
  });
}

/** Leaves for the other site by which people sign in; it sends them back to `next`. */
export function useLeaveForIdentity() {
  return useMutation({
    mutationFn: async (body: Departure) => {
      const { url } = await portal.POST("/api/session/oidc", { body });
      window.location.assign(url);
      // Pending until the page is gone, so that nobody presses twice.
      return new Promise<never>(() => {});
    },
  });
}

/** Has the link for one's own address sent again. */
export function useSendConfirmation() {
  return useMutation({ mutationFn: () => portal.POST("/api/confirmations") });
}

/** What the link of a mail does. Looking at it changes nothing. */
export function useLinkPreview(token: string | null) {
  return useQuery({
    queryKey: ["link", token],
    queryFn: ({ signal }) =>
      portal.POST("/api/confirmations/preview", { body: { token: token ?? "" }, signal }),
    enabled: !!token,
    staleTime: Infinity,
    // The key holds the token; nothing may keep it.
    gcTime: 0,
  });
}

/** Does what the link is for. The browser is then signed in to the account. */
export function useConfirm() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: { token: string; password?: string }) =>
      portal.PUT("/api/confirmations", { body }),
    // The variables hold a password; nothing may keep them.
    gcTime: 0,
    onSuccess: () => {
      expectSession();
      // Somebody else may have been signed in on this page before.
      client.removeQueries({ queryKey: ["account"] });
      void client.invalidateQueries({ queryKey: sessionKey });
    },
  });
}

export function useAskReset() {
  return useMutation({
    mutationFn: (email: string) => portal.POST("/api/password-resets", { body: { email } }),
  });
}

export function useResetPassword() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: NewPassword) => portal.PUT("/api/password-resets", { body }),
    // The variables hold a password; nothing may keep them.
    gcTime: 0,
    // It ends every session of the account, which may be this browser's.
    onSuccess: () => client.invalidateQueries({ queryKey: sessionKey }),
  });
}
