import { useHydrated } from "@/browser/use-hydrated";

/** React must find each part of a page as it was exported, also where the answer came before its code. */
export function useOnceHydrated<Query extends { data: unknown }>(query: Query): Query {
  return useHydrated() ? query : { ...query, data: undefined, error: null, isError: false };
}
