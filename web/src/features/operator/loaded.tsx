import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { LoadFailed } from "@/components/load-failed";
import { Skeleton } from "@/components/ui/skeleton";

type Props<Data> = {
  query: UseQueryResult<Data>;
  /** As high as what will stand there, about. */
  skeleton: string;
  children: (data: Data) => ReactNode;
};

/** What a query has brought, or its skeleton, or why it failed. */
export function Loaded<Data>({ query, skeleton, children }: Props<Data>) {
  const { data, error, isFetching, refetch } = query;
  if (data !== undefined) return children(data);
  if (error) {
    return <LoadFailed error={error} retrying={isFetching} onRetry={() => void refetch()} />;
  }
  return <Skeleton className={`${skeleton} w-full rounded-xl`} />;
}
