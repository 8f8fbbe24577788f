import { useQuery } from "@tanstack/react-query";
import { dataOf, portal } from "./client";

export function useModels() {
  return useQuery({
    queryKey: ["account", "models"],
    queryFn: ({ signal }) => dataOf(portal.GET("/api/models", { signal })),
    staleTime: 5 * 60_000,
  });
}
