import { useQuery } from "@tanstack/react-query";
import { portal } from "./client";

export function useModels() {
  return useQuery({
    queryKey: ["account", "models"],
    queryFn: ({ signal }) => portal.GET("/api/models", { signal }),
    staleTime: 5 * 60_000,
    // People can chat without the list: an upstream that is away must not hold them up.
    retry: false,
  });
}
