import { useHydrated } from "@/browser/use-hydrated";

/** Hide a query's result until hydration, when React must find the page as exported. */
export function useOnceHydrated<Query extends { data: unknown }>(query: Query): Query {
  return useHydrated() ? query : { ...query, data: undefined, error: null, isError: false };
}
