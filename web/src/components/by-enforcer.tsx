"use client";

import type { ReactNode } from "react";
import { useEnforcedByAws } from "@/api/site";

type Props = { embedded: ReactNode; aws?: ReactNode };

/** What holds here, of two things that the server has written out: no words of them are loaded as code. */
export function ByEnforcer({ embedded, aws }: Props) {
  return useEnforcedByAws() ? aws : embedded;
}
