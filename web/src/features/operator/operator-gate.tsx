"use client";

import { usePathname } from "next/navigation";
import type { ReactNode } from "react";
import { useSession } from "@/api/session";
import { operatorPages } from "@/components/operator-pages";
import { PageHeading } from "@/components/page-heading";
import { Notice } from "@/components/ui/notice";
import { Skeleton } from "@/components/ui/skeleton";
import * as strings from "@/strings";

const words = strings.operator;

/** The frame of the operator pages. The server authorises what they load. */
export function OperatorGate({ children }: { children: ReactNode }) {
  const { data: account } = useSession();
  const here = usePathname();
  const pages = operatorPages.flatMap(({ details, ...page }) => (details ? [page, details] : [page]));
  const page = pages.find(({ href }) => href === here);
  return (
    <div className="mx-auto w-full max-w-6xl px-4 py-8 sm:px-6">
      <PageHeading title={page?.label ?? words.title} />
      {account?.role === "operator" ? (
        children
      ) : account ? (
        <Notice tone="warn" title={words.forbidden}>
          {words.forbiddenText}
        </Notice>
      ) : (
        <Skeleton className="h-96 w-full rounded-xl" />
      )}
    </div>
  );
}
