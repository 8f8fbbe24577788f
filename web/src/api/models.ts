import { useQuery } from "@tanstack/react-query";
import { dataOf, portal } from "./client";

export function useModels() {
  return useQuery({
    queryKey: ["account", "models"],
    queryFn: ({ signal }) => dataOf(portal.GET("/api/models", { signal })),
    staleTime: 5 * 60_000,
    // People can chat without the list: an upstream that is away must not hold them up.
    retry: false,
  });
}
