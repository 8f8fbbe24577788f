import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { portal } from "./client";
import type { ApiKey } from "./types";

export const apiKeysKey = ["account", "api-keys"] as const;

export type NewApiKey = { name: string; usage_plan_id: string };
export type ApiKeyChange = { id: string } & Partial<
  NewApiKey & Pick<ApiKey, "note" | "expires_at" | "allowed_models" | "paused">
>;

export function useApiKeys() {
  return useQuery({
    queryKey: apiKeysKey,
    queryFn: ({ signal }) => portal.GET("/api/api-keys", { signal }),
    staleTime: 5_000,
    // AWS takes some seconds to activate a new key. The portal reports when it is active.
    refetchInterval: ({ state }) => (state.data?.some((key) => key.activating) ? 2_000 : false),
  });
}

/** Create a key. The response holds the secret: the caller must take it and reset the mutation. */
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

/** Update the list optimistically, and roll back if the server refuses the change. */
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
