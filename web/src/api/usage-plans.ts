import { useQuery } from "@tanstack/react-query";
import { dataOf, portal } from "./client";

export function useUsagePlans() {
  return useQuery({
    queryKey: ["usage-plans"],
    queryFn: ({ signal }) => dataOf(portal.GET("/api/usage-plans", { signal })),
    staleTime: 5 * 60_000,
  });
}
