import { useCallback, useState } from "react";
import type { Page } from "@/api/operator";

/** Track the search and its page. A new search starts at the first page. */
export function usePage() {
  const [page, setPage] = useState<Page>({ search: "", offset: 0 });
  const search = useCallback((text: string) => setPage({ search: text, offset: 0 }), []);
  const turn = useCallback((offset: number) => setPage((now) => ({ ...now, offset })), []);
  return { page, search, turn };
}
