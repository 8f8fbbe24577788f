import { useMutation } from "@tanstack/react-query";
import { portal } from "./client";

type Departure = { next: string; invitation?: string };

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
