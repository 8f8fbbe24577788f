"use client";

import { usePathname, useRouter } from "next/navigation";
import { useEffect, type ReactNode } from "react";
import { useSession } from "@/api/session";
import { LoadFailed } from "@/components/load-failed";
import { Skeleton } from "@/components/ui/skeleton";
import * as strings from "@/strings";
import { signInAddress } from "./return-to";

/** Shows its children to people who are signed in, and sends everybody else to the sign-in and back. */
export function SessionGate({ children }: { children: ReactNode }) {
  const { data: account, error, isFetching, refetch } = useSession();
  const router = useRouter();
  const here = usePathname();
  const signedOut = account === null;

  useEffect(() => {
    if (signedOut) router.replace(signInAddress(here));
  }, [signedOut, here, router]);

  if (account) return children;
  return (
    <div className="mx-auto w-full max-w-5xl px-4 py-10 sm:px-6">
      {error ? (
        <LoadFailed error={error} onRetry={() => refetch()} retrying={isFetching} />
      ) : (
        <div role="status">
          <span className="sr-only">{strings.session.checking}</span>
          <Skeleton className="h-8 w-40" />
          <Skeleton className="mt-4 h-4 w-72 max-w-full" />
          <Skeleton className="mt-10 h-48 w-full" />
        </div>
      )}
    </div>
  );
}
