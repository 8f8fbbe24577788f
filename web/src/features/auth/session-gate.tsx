"use client";

import { usePathname, useRouter } from "next/navigation";
import { useEffect, type ReactNode } from "react";
import { useSession } from "@/api/session";
import { keepFocus } from "@/browser/keep-focus";
import { signInAddress } from "@/browser/return-to";
import { LoadFailed } from "@/components/load-failed";

/**
 * Sends people who are not signed in to the sign-in and back. Until that is known its children are
 * there: their headings are in the exported page, and what they ask for is the server's to refuse.
 */
export function SessionGate({ children }: { children: ReactNode }) {
  const { data: account, error, isFetching, refetch } = useSession();
  const router = useRouter();
  const here = usePathname();
  const signedOut = account === null;

  useEffect(() => {
    if (signedOut) router.replace(signInAddress(here));
  }, [signedOut, here, router]);

  useEffect(keepFocus, []);

  if (signedOut) return null;
  if (!account && error) {
    return (
      <div className="mx-auto w-full max-w-5xl px-4 py-10 sm:px-6">
        <LoadFailed error={error} onRetry={() => refetch()} retrying={isFetching} />
      </div>
    );
  }
  return children;
}
