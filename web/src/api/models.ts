import { useQuery } from "@tanstack/react-query";
import { portal } from "./client";

export function useModels() {
  return useQuery({
    queryKey: ["account", "models"],
    queryFn: ({ signal }) => portal.GET("/api/models", { signal }),
    staleTime: 5 * 60_000,
    // Chat works without the list, so an unreachable upstream must not block it.
    retry: false,
  });
}
