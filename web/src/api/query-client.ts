import { MutationCache, QueryCache, QueryClient } from "@tanstack/react-query";
import { ApiError, isStatus } from "./problem";
import { forgetSession, refreshRights, sessionKey } from "./session";

export function createQueryClient(): QueryClient {
  const onError = (error: Error) => {
    if (isStatus(error, 401)) {
      forgetSession();
      client.setQueryData(sessionKey, null);
    }
    // The account may have another role, or the site new terms.
    if (isStatus(error, 403)) void refreshRights(client);
  };
  const client: QueryClient = new QueryClient({
    queryCache: new QueryCache({ onError }),
    mutationCache: new MutationCache({ onError }),
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
