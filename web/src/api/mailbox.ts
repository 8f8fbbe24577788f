import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { portal } from "./client";
import { expectSession, sessionKey } from "./session";

type NewPassword = { token: string; password: string };

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
