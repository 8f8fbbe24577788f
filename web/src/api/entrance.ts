import { useMutation, useQueryClient } from "@tanstack/react-query";
import { portal } from "./client";
import { leaveSite, rememberSession, sessionKey } from "./session";
import type { Account, MailSent } from "./types";

export type Credentials = { email: string; password: string };
export type NewAccount = { email: string; password?: string; invitation?: string };

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
