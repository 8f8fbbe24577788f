"use client";

import { useApiKeys } from "@/api/api-keys";
import { useModels } from "@/api/models";
import { useSession } from "@/api/session";
import { useUsagePlans } from "@/api/usage-plans";
import { LoadFailed } from "@/components/load-failed";
import { Skeleton } from "@/components/ui/skeleton";
import { Chat } from "./chat";
import { NoKeys } from "./no-keys";

export function ChatPage() {
  const { data: account } = useSession();
  const keys = useApiKeys();
  const plans = useUsagePlans();
  const models = useModels();
  const failed = [keys, plans].find((query) => query.isError && !query.data);
  // Not every upstream lists its models; people can chat all the same.
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
  if (!account || !keys.data || !plans.data || !listed) return <ChatSkeleton />;
  if (keys.data.length === 0) return <NoKeys />;
  return (
    <Chat
      accountId={account.id}
      keys={keys.data}
      plans={plans.data}
      models={listed.map(({ id }) => id)}
    />
  );
}

function ChatSkeleton() {
  return (
    <div className="mx-auto flex w-full max-w-3xl flex-1 flex-col justify-between gap-8 px-4 py-6 sm:px-6">
      <Skeleton className="h-10 w-full max-w-md" />
      <Skeleton className="h-28 w-full rounded-xl" />
    </div>
  );
}
