import { MutationCache, QueryCache, QueryClient } from "@tanstack/react-query";
import { ApiError, isStatus } from "./problem";
import { forgetSession, sessionKey } from "./session";

export function createQueryClient(): QueryClient {
  const signOutOn401 = (error: Error) => {
    if (!isStatus(error, 401)) return;
    forgetSession();
    client.setQueryData(sessionKey, null);
  };
  const client: QueryClient = new QueryClient({
    queryCache: new QueryCache({ onError: signOutOn401 }),
    mutationCache: new MutationCache({ onError: signOutOn401 }),
    defaultOptions: {
      queries: {
        staleTime: 30_000,
        retry: (failures, error) => failures < 2 && isWorthRetrying(error),
        // The site may run on a machine without a network, where "online" would pause every call.
        networkMode: "always",
      },
      mutations: { retry: false, networkMode: "always" },
    },
  });
  return client;
}

/** Retry only failures that may pass. The server would refuse a refused request again. */
function isWorthRetrying(error: Error): boolean {
  return error instanceof ApiError && (error.status === 0 || error.status >= 500);
}
