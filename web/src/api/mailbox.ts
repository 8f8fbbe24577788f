import { useMutation, useQueryClient } from "@tanstack/react-query";
import { dataOf, portal } from "./client";
import { sessionKey } from "./session";

export type NewPassword = { token: string; password: string };

/** Has the link for one's own address sent again. */
export function useSendConfirmation() {
  return useMutation({ mutationFn: () => dataOf(portal.POST("/api/confirmations")) });
}

export function useConfirm() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (token: string) => dataOf(portal.PUT("/api/confirmations", { body: { token } })),
    onSuccess: () => client.invalidateQueries({ queryKey: sessionKey }),
  });
}

export function useAskReset() {
  return useMutation({
    mutationFn: (email: string) => dataOf(portal.POST("/api/password-resets", { body: { email } })),
  });
}

export function useResetPassword() {
  return useMutation({
    mutationFn: (body: NewPassword) => portal.PUT("/api/password-resets", { body }),
    // The variables hold a password; nothing may keep them.
    gcTime: 0,
  });
}
