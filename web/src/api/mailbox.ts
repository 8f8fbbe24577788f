import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { portal } from "./client";
import { expectSession, sessionKey } from "./session";

type NewPassword = { token: string; password: string };

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
    mutationFn: (body: { token: string; password?: string }) =>
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
