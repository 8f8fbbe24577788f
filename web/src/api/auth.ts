import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { portal } from "./client";
import { expectSession, leaveSite, rememberSession, sessionKey } from "./session";
import type { Account, MailSent } from "./types";

export type Credentials = { email: string; password: string };
type Accepted = { accepted_terms?: string };
export type NewAccount = { email: string; password?: string; invitation?: string } & Accepted;
type NewPassword = { token: string; password: string };
export type Departure = { next: string; invitation?: string } & Accepted;

export function useSignIn() {
  return useOpenSession((credentials: Credentials) =>
    portal.POST("/api/session", { body: credentials }),
  );
}

/** Sign up. Returns the new account or, if the site sends e-mail, the address it wrote to. */
export function useSignUp() {
  return useOpenSession((account: NewAccount) =>
    portal.POST("/api/accounts", { body: account }),
  );
}

/** Create the operator account with the token of the setup link. */
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
    // The variables hold a password, so do not cache them.
    gcTime: 0,
    onSuccess: (opened) => {
      if (!("id" in opened)) return;
      rememberSession(opened.id);
      // Another account may have been signed in on this page before.
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

/** Go to the identity provider, which returns to `next` after sign-in. */
export function useLeaveForIdentity() {
  return useMutation({
    mutationFn: async (body: Departure) => {
      const { url } = await portal.POST("/api/session/oidc", { body });
      window.location.assign(url);
      // Stay pending until the page unloads to prevent a second press.
      return new Promise<never>(() => {});
    },
  });
}

/** Send the confirmation link for the signed-in account's address again. */
export function useSendConfirmation() {
  return useMutation({ mutationFn: () => portal.POST("/api/confirmations") });
}

/** Return what a confirmation link would do. Changes nothing. */
export function useLinkPreview(token: string | null) {
  return useQuery({
    queryKey: ["link", token],
    queryFn: ({ signal }) =>
      portal.POST("/api/confirmations/preview", { body: { token: token ?? "" }, signal }),
    enabled: !!token,
    staleTime: Infinity,
    // The query key holds the token, so do not cache it.
    gcTime: 0,
  });
}

/** Use a confirmation link. The browser is then signed in to the account. */
export function useConfirm() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: { token: string; password?: string } & Accepted) =>
      portal.PUT("/api/confirmations", { body }),
    // The variables hold a password, so do not cache them.
    gcTime: 0,
    onSuccess: () => {
      expectSession();
      // Another account may have been signed in on this page before.
      client.removeQueries({ queryKey: ["account"] });
      void client.invalidateQueries({ queryKey: sessionKey });
    },
  });
}

/** Accept a version of the site's terms, and go on to what the page could not load without it. */
export function useAcceptTerms() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (accepted_terms: string) =>
      portal.POST("/api/account/terms", { body: { accepted_terms } }),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: sessionKey });
      void client.invalidateQueries({ queryKey: ["account"] });
    },
    // The terms may have changed again.
    onError: () => client.invalidateQueries({ queryKey: ["site"] }),
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
    // The variables hold a password, so do not cache them.
    gcTime: 0,
    // This ends all sessions of the account, possibly including this browser's.
    onSuccess: () => client.invalidateQueries({ queryKey: sessionKey }),
  });
}
