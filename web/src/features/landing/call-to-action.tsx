"use client";

import Link from "next/link";
import { useLikelySession } from "@/api/session";
import { buttonStyles } from "@/components/ui/button";
import * as strings from "@/strings";

export function CallToAction() {
  const account = useLikelySession();
  return (
    <Link href={account ? "/keys/" : "/sign-up/"} className={buttonStyles({ size: "large" })}>
      {account ? strings.nav.openKeys : strings.nav.start}
      <span aria-hidden>→</span>
    </Link>
  );
}
