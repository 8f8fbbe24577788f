import { useMutation } from "@tanstack/react-query";
import { portal } from "./client";

type Departure = { next: string; invitation?: string };

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
