"use client";

import Link from "next/link";
import { useSite } from "@/api/site";
import * as strings from "@/strings";

/** A link to the site's terms, if it has any. */
export function TermsLink({ className }: { className: string }) {
  const { data: site } = useSite();
  if (!site?.terms) return null;
  return (
    <Link href="/terms/" prefetch={false} className={className}>
      {strings.terms.title}
    </Link>
  );
}
