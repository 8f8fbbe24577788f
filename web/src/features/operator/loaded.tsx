import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { LoadFailed } from "@/components/load-failed";
import { Skeleton } from "@/components/ui/skeleton";

type Props<Data> = {
  query: UseQueryResult<Data>;
  /** The approximate height of the loaded content. */
  skeleton: string;
  children: (data: Data) => ReactNode;
};

/** Render a query's data, its skeleton, or its error. */
export function Loaded<Data>({ query, skeleton, children }: Props<Data>) {
  const { data, error, isFetching, refetch } = query;
  if (data !== undefined) return children(data);
  if (error) {
    return <LoadFailed error={error} retrying={isFetching} onRetry={() => void refetch()} />;
  }
  return <Skeleton className={`${skeleton} w-full rounded-xl`} />;
}
