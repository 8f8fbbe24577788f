"use client";

import { useApiKeys } from "@/api/api-keys";
import { useHeldKey } from "@/api/held-keys";
import { useModels } from "@/api/models";
import { useSession } from "@/api/session";
import { useSite } from "@/api/site";
import { useUsagePlans } from "@/api/usage-plans";
import { LoadFailed } from "@/components/load-failed";
import { Skeleton } from "@/components/ui/skeleton";
import * as strings from "@/strings";
import { Chat } from "./chat";
import { EmptyConversation } from "./empty-conversation";
import { NoKeys } from "./no-keys";
import { PresentKey } from "./present-key";

export function ChatPage() {
  const { data: account } = useSession();
  const keys = useApiKeys();
  const plans = useUsagePlans();
  const models = useModels();
  const { data: site } = useSite();
  const held = useHeldKey(keys.data?.[0]?.id ?? "");
  const failed = [keys, plans].find((query) => query.isError && !query.data);
  // Not every upstream lists its models. Chat works without the list.
  const listed = models.data ?? (models.isError ? [] : undefined);

  if (failed) {
    return (
      <div className="mx-auto w-full max-w-3xl px-4 py-10 sm:px-6">
        <LoadFailed
          error={failed.error}
          retrying={failed.isFetching}
          onRetry={() => void failed.refetch()}
        />
      </div>
    );
  }
  if (!account || !keys.data || !plans.data || !listed || !site) return <ChatSkeleton />;
  if (keys.data.length === 0) return <NoKeys />;
  if (site.enforcer === "aws" && !held) {
    return <PresentKey apiKey={keys.data[0]!} baseUrl={site.gateway_base_url ?? ""} />;
  }
  return (
    <Chat
      accountId={account.id}
      keys={keys.data}
      plans={plans.data}
      models={listed.map(({ id }) => id)}
    />
  );
}

/** Rendered in the exported page: what most visitors will see, before the session is known. */
function ChatSkeleton() {
  return (
    <div className="mx-auto flex w-full max-w-3xl flex-1 flex-col px-4 sm:px-6">
      <h1 className="sr-only">{strings.chat.title}</h1>
      <Skeleton className="my-4 h-10 w-full max-w-md" />
      <Skeleton className="mb-3 h-7 w-48" />
      <EmptyConversation />
      <Skeleton className="mt-2 mb-4 h-22 w-full rounded-xl" />
    </div>
  );
}
