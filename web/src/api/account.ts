import { useMutation } from "@tanstack/react-query";
import { portal } from "./client";
import { leaveSite } from "./session";

export type PasswordChange = { current_password: string; new_password: string };

// The variables hold passwords, so do not cache them.

export function useChangePassword() {
  return useMutation({
    mutationFn: (body: PasswordChange) => portal.PUT("/api/account/password", { body }),
    gcTime: 0,
  });
}

export function useSignOutEverywhere() {
  return useMutation({
    mutationFn: () => portal.DELETE("/api/account/sessions"),
    onSuccess: () => leaveSite(),
  });
}

export function useDeleteAccount() {
  return useMutation({
    mutationFn: (body: { password: string | null }) => portal.POST("/api/account/deletion", { body }),
    gcTime: 0,
  });
}
