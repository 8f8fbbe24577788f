import { useQuery } from "@tanstack/react-query";
import { portal } from "./client";
import { useOnceHydrated } from "./once-hydrated";

export function useUsagePlans() {
  const plans = useQuery({
    queryKey: ["usage-plans"],
    queryFn: ({ signal }) => portal.GET("/api/usage-plans", { signal }),
    staleTime: 5 * 60_000,
  });
  return useOnceHydrated(plans);
}
