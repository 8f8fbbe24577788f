import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { portal } from "./client";
import type { paths } from "./schema.gen";
import type {
  KeysBatch,
  NewPlan,
  NewUpstream,
  PeopleBatch,
  PlanChange,
  Role,
  SettingsChange,
  TokenScope,
  UpstreamChange,
  UpstreamTest,
} from "./types";

const operatorKey = ["account", "operator"] as const;

/** The query parameters of a list. */
type ListQuery<Path extends "/api/operator/people" | "/api/operator/api-keys" | "/api/operator/audit-log"> =
  NonNullable<paths[Path]["get"]["parameters"]["query"]>;

/** Rows per page; the portal sends no more. */
export const pageSize = 50;

export function usePeople(query: ListQuery<"/api/operator/people">) {
  return usePage("people", query, (signal) =>
    portal.GET("/api/operator/people", { params: { query }, signal }),
  );
}

export function usePerson(id: string) {
  return useQuery({
    queryKey: [...operatorKey, "person", id],
    queryFn: ({ signal }) =>
      portal.GET("/api/operator/people/{account_id}", { params: { path: { account_id: id } }, signal }),
    enabled: id !== "",
    staleTime: 5_000,
  });
}

export function useOwnedKeys(query: ListQuery<"/api/operator/api-keys">) {
  return usePage("keys", query, (signal) =>
    portal.GET("/api/operator/api-keys", { params: { query }, signal }),
  );
}

export function useAuditLog(query: ListQuery<"/api/operator/audit-log">) {
  return usePage("audit", query, (signal) =>
    portal.GET("/api/operator/audit-log", { params: { query }, signal }),
  );
}

/** Keep the current page until the next has loaded, so that rows do not flicker while typing. */
function usePage<Data>(name: string, page: object, load: (signal: AbortSignal) => Promise<Data>) {
  return useQuery({
    queryKey: [...operatorKey, name, page],
    queryFn: ({ signal }) => load(signal),
    placeholderData: keepPreviousData,
    staleTime: 5_000,
  });
}

export function useManagedPlans() {
  return useQuery({
    queryKey: [...operatorKey, "plans"],
    queryFn: ({ signal }) => portal.GET("/api/operator/usage-plans", { signal }),
  });
}

export function useSiteUsage(days: number, refetchInterval?: number) {
  return useQuery({
    queryKey: [...operatorKey, "usage", days],
    queryFn: ({ signal }) =>
      portal.GET("/api/operator/usage", { params: { query: { days } }, signal }),
    staleTime: 5_000,
    refetchInterval,
  });
}

/** Fetched on demand only, because each fetch calls the upstream. */
export function useUpstreamHealth() {
  return useQuery({
    queryKey: [...operatorKey, "upstream"],
    queryFn: ({ signal }) => portal.GET("/api/operator/upstream", { signal }),
  });
}

export function useSignUpPolicy() {
  return useQuery({
    queryKey: [...operatorKey, "sign-up"],
    queryFn: ({ signal }) => portal.GET("/api/operator/sign-up", { signal }),
  });
}

export function useSettings() {
  return useQuery({
    queryKey: [...operatorKey, "settings"],
    queryFn: ({ signal }) => portal.GET("/api/operator/settings", { signal }),
  });
}

/** Change the named settings, all or none. Null restores a default. */
export function useChangeSettings() {
  return useOfficeMutation((body: SettingsChange) =>
    portal.PATCH("/api/operator/settings", { body }),
  );
}

/** How the logo and the accent colour are shown. */
export function useLook() {
  return useQuery({
    queryKey: [...operatorKey, "look"],
    queryFn: ({ signal }) => portal.GET("/api/operator/look", { signal }),
  });
}

export function useSetLogo() {
  return useOfficeMutation((body: File) => portal.PUT("/api/operator/logo", { body }));
}

export function useRemoveLogo() {
  return useOfficeMutation(() => portal.DELETE("/api/operator/logo"));
}

/** Polled, because e-mails are retried in the background. */
export function useFailedMails() {
  return useQuery({
    queryKey: [...operatorKey, "mails"],
    queryFn: ({ signal }) => portal.GET("/api/operator/mails", { signal }),
    refetchInterval: 15_000,
  });
}

export function useRetryMail() {
  return useOfficeMutation(({ id }: { id: string }) =>
    portal.POST("/api/operator/mails/{mail_id}/retry", { params: { path: { mail_id: id } } }),
  );
}

export function useRemoveMail() {
  return useOfficeMutation(({ id }: { id: string }) =>
    portal.DELETE("/api/operator/mails/{mail_id}", { params: { path: { mail_id: id } } }),
  );
}

export function useChangePerson() {
  return useOfficeMutation(({ id, ...body }: { id: string; role?: Role; disabled?: boolean }) =>
    portal.PATCH("/api/operator/people/{account_id}", { params: { path: { account_id: id } }, body }),
  );
}

export function useChangePeople() {
  return useOfficeMutation((body: PeopleBatch) => portal.POST("/api/operator/people/batch", { body }));
}

export function useDeletePerson() {
  return useOfficeMutation(({ id }: { id: string }) =>
    portal.DELETE("/api/operator/people/{account_id}", { params: { path: { account_id: id } } }),
  );
}

/** Create a reset link. The response holds its token: the caller must take it and reset the mutation. */
export function useCreateResetLink() {
  return useOfficeMutation(({ id }: { id: string }) =>
    portal.POST("/api/operator/people/{account_id}/password-reset", {
      params: { path: { account_id: id } },
    }),
  );
}

export function useSignOutPerson() {
  return useOfficeMutation(({ id }: { id: string }) =>
    portal.POST("/api/operator/people/{account_id}/sign-out", { params: { path: { account_id: id } } }),
  );
}

export function useAssignPlan() {
  return useOfficeMutation(({ id, ...body }: { id: string; usage_plan_id: string }) =>
    portal.PATCH("/api/operator/api-keys/{api_key_id}", { params: { path: { api_key_id: id } }, body }),
  );
}

export function useRevokeKey() {
  return useOfficeMutation(({ id }: { id: string }) =>
    portal.DELETE("/api/operator/api-keys/{api_key_id}", { params: { path: { api_key_id: id } } }),
  );
}

export function useChangeKeys() {
  return useOfficeMutation((body: KeysBatch) => portal.POST("/api/operator/api-keys/batch", { body }));
}

export function useCreatePlan() {
  return useOfficeMutation((body: NewPlan) => portal.POST("/api/operator/usage-plans", { body }));
}

export function useChangePlan() {
  return useOfficeMutation(({ id, ...body }: PlanChange & { id: string }) =>
    portal.PUT("/api/operator/usage-plans/{plan_id}", { params: { path: { plan_id: id } }, body }),
  );
}

/** Create an invitation. The response holds its token: the caller must take it and reset the mutation. */
export function useInvite() {
  return useOfficeMutation((body: { note: string; days: number }) =>
    portal.POST("/api/operator/invitations", { body }),
  );
}

export function useWithdrawInvitation() {
  return useOfficeMutation(({ id }: { id: string }) =>
    portal.DELETE("/api/operator/invitations/{invitation_id}", {
      params: { path: { invitation_id: id } },
    }),
  );
}

export function useTokens() {
  return useQuery({
    queryKey: [...operatorKey, "tokens"],
    queryFn: ({ signal }) => portal.GET("/api/operator/tokens", { signal }),
  });
}

/** Create an admin token. The response holds it: the caller must take it and reset the mutation. */
export function useCreateToken() {
  return useOfficeMutation((body: { name: string; scopes: TokenScope[]; days: number }) =>
    portal.POST("/api/operator/tokens", { body }),
  );
}

export function useRevokeToken() {
  return useOfficeMutation(({ id }: { id: string }) =>
    portal.DELETE("/api/operator/tokens/{token_id}", { params: { path: { token_id: id } } }),
  );
}

export function useWithdrawInvitations() {
  return useOfficeMutation((ids: string[]) =>
    portal.POST("/api/operator/invitations/batch", { body: { ids, action: "withdraw" } }),
  );
}

export function useChecklist() {
  return useQuery({
    queryKey: [...operatorKey, "checklist"],
    queryFn: ({ signal }) => portal.GET("/api/operator/checklist", { signal }),
    staleTime: 5_000,
  });
}

export function useUpstreams() {
  return useQuery({
    queryKey: [...operatorKey, "upstreams"],
    queryFn: ({ signal }) => portal.GET("/api/operator/upstreams", { signal }),
    staleTime: 5_000,
  });
}

/** The variables hold a key: the mutation forgets them when the form is left. */
export function useCreateUpstream() {
  return useOfficeMutation((body: NewUpstream) => portal.POST("/api/operator/upstreams", { body }));
}

export function useChangeUpstream() {
  return useOfficeMutation(({ id, ...body }: UpstreamChange & { id: string }) =>
    portal.PATCH("/api/operator/upstreams/{upstream_id}", { params: { path: { upstream_id: id } }, body }),
  );
}

export function useDeleteUpstream() {
  return useOfficeMutation(({ id }: { id: string }) =>
    portal.DELETE("/api/operator/upstreams/{upstream_id}", { params: { path: { upstream_id: id } } }),
  );
}

export function useTestUpstream() {
  return useOfficeMutation((body: UpstreamTest) => portal.POST("/api/operator/upstreams/test", { body }));
}

function useOfficeMutation<Variables, Data>(call: (variables: Variables) => Promise<Data>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: call,
    gcTime: 0,
    // A plan, key or account may appear on any page.
    onSettled: () =>
      Promise.all(
        [["account"], ["usage-plans"], ["site"]].map((queryKey) =>
          client.invalidateQueries({ queryKey }),
        ),
      ),
  });
}
