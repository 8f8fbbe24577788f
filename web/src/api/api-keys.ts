import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { portal } from "./client";
import type { ApiKey } from "./types";

export const apiKeysKey = ["account", "api-keys"] as const;

export type NewApiKey = { name: string; usage_plan_id: string };
export type ApiKeyChange = NewApiKey & { id: string };

export function useApiKeys() {
  return useQuery({
    queryKey: apiKeysKey,
    queryFn: ({ signal }) => portal.GET("/api/api-keys", { signal }),
    staleTime: 5_000,
    // A new key is not known everywhere at AWS for some seconds; the portal sees when it is.
    refetchInterval: ({ state }) => (state.data?.some((key) => key.activating) ? 2_000 : false),
  });
}

/** The answer holds the key itself: the caller takes it out and resets the mutation. */
export function useCreateApiKey() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: NewApiKey) => portal.POST("/api/api-keys", { body }),
    gcTime: 0,
    onSettled: () => client.invalidateQueries({ queryKey: ["account"] }),
  });
}

export function useRotateApiKey() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id, grace_seconds }: { id: string; grace_seconds: number }) =>
      portal.POST("/api/api-keys/{api_key_id}/rotate", {
          params: { path: { api_key_id: id } },
          body: { grace_seconds },
        }),
    gcTime: 0,
    onSettled: () => client.invalidateQueries({ queryKey: apiKeysKey }),
  });
}

export function useChangeApiKey() {
  return useOptimistic<ApiKeyChange>(
    ({ id, ...body }) => portal.PATCH("/api/api-keys/{api_key_id}", { params: { path: { api_key_id: id } }, body }),
    (keys, { id, ...change }) => keys.map((key) => (key.id === id ? { ...key, ...change } : key)),
  );
}

export function useDeleteApiKey() {
  return useOptimistic<{ id: string }>(
    ({ id }) => portal.DELETE("/api/api-keys/{api_key_id}", { params: { path: { api_key_id: id } } }),
    (keys, { id }) => keys.filter((key) => key.id !== id),
  );
}

/** Shows the change in the list at once, and takes it back when the server refuses it. */
function useOptimistic<Variables>(
  call: (variables: Variables) => Promise<unknown>,
  apply: (keys: ApiKey[], variables: Variables) => ApiKey[],
) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: call,
    onMutate: async (variables: Variables) => {
      await client.cancelQueries({ queryKey: apiKeysKey });
      const before = client.getQueryData<ApiKey[]>(apiKeysKey);
      client.setQueryData<ApiKey[]>(apiKeysKey, (keys) => keys && apply(keys, variables));
      return before;
    },
    onError: (_error, _variables, before) => client.setQueryData(apiKeysKey, before),
    onSettled: () => client.invalidateQueries({ queryKey: ["account"] }),
  });
}
