"use client";

import { usePathname, useRouter } from "next/navigation";
import { lazy, Suspense, useEffect, type ReactNode } from "react";
import { useSession } from "@/api/session";
import { useSite } from "@/api/site";
import { keepFocus } from "@/browser/keep-focus";
import { signInAddress } from "@/browser/return-to";
import { LoadFailed } from "@/components/load-failed";

// Few sites have terms.
const AcceptTerms = lazy(() => import("./accept-terms"));

/**
 * Redirect visitors to sign-in and back. Render the children while the session is unknown:
 * the exported page has their headings, and the server refuses their data to visitors.
 */
export function SessionGate({ children }: { children: ReactNode }) {
  const { data: account, error, isFetching, refetch } = useSession();
  const { data: site } = useSite();
  const router = useRouter();
  const here = usePathname();
  const signedOut = account === null;

  useEffect(() => {
    if (signedOut) router.replace(signInAddress(here));
  }, [signedOut, here, router]);

  useEffect(keepFocus, []);

  const terms = site?.terms;
  // Operators write the terms. The portal decides in the same way.
  if (account && account.role !== "operator" && terms && account.accepted_terms !== terms.version) {
    return (
      <Suspense>
        <AcceptTerms terms={terms} isFirst={account.accepted_terms === null} />
      </Suspense>
    );
  }

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
