import { queryOptions, useQuery, useQueryClient } from "@tanstack/react-query";
import { portal } from "./client";
import { apiKeysKey } from "./api-keys";

const usageKey = ["account", "usage"] as const;

const usageToday = queryOptions({
  queryKey: [...usageKey, "today"],
  queryFn: ({ signal }) => portal.GET("/api/usage/today", { signal }),
  staleTime: 5_000,
});

export function useUsageToday() {
  return useQuery(usageToday);
}

/** Poll today's usage while a change is expected. */
export function usePolledUsage(active: boolean) {
  useQuery({ ...usageToday, refetchInterval: active && 3_000, notifyOnChangeProps: [] });
}

export function useUsageHistory(days: number) {
  return useQuery({
    queryKey: [...usageKey, "history", days],
    queryFn: ({ signal }) => portal.GET("/api/usage", { params: { query: { days } }, signal }),
  });
}

/** Return at most the last 200 requests of the past 7 days. */
export function useRecentRequests() {
  return useQuery({
    queryKey: [...usageKey, "requests"],
    queryFn: ({ signal }) => portal.GET("/api/requests", { signal }),
    staleTime: 5_000,
  });
}

/** Refresh everything that meters read from, after a request was counted. */
export function useRefreshUsage(): () => Promise<unknown> {
  const client = useQueryClient();
  return () =>
    Promise.all([
      client.invalidateQueries({ queryKey: usageKey }),
      client.invalidateQueries({ queryKey: apiKeysKey }),
    ]);
}
