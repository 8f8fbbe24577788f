"use client";

import clsx from "clsx";
import Link from "next/link";
import { usePathname } from "next/navigation";
import { useEffect, useRef } from "react";
import { useSession } from "@/api/session";
import * as strings from "@/strings";
import { operatorPages } from "@/components/operator-pages";

/**
 * The second row of the header on the operator's pages. It is part of the exported page, so that
 * nothing moves when the session is known. Scrolls sideways where the window is narrow.
 */
export default function OperatorNav() {
  const here = usePathname();
  const { data: account } = useSession();
  const current = useRef<HTMLAnchorElement>(null);

  // Not `scrollIntoView`, which would also scroll the page.
  useEffect(() => {
    const link = current.current;
    const row = link?.parentElement;
    if (!link || !row) return;
    row.scrollLeft = link.offsetLeft - (row.clientWidth - link.offsetWidth) / 2;
  }, [here]);

  return (
    <nav aria-label={strings.operator.nav} className="border-t">
      <div className="relative mx-auto flex h-11 max-w-6xl overflow-x-auto px-2 [scrollbar-width:none] sm:px-3">
        {(account === undefined || account?.role === "operator") &&
          operatorPages.map(({ href, label, details }) => {
            const isCurrent = here === href || here === details?.href;
            return (
              <Link
                key={href}
                href={href}
                ref={isCurrent ? current : undefined}
                aria-current={isCurrent ? "page" : undefined}
                className={clsx(
                  "flex items-center border-b-2 px-2 text-sm whitespace-nowrap -outline-offset-2 sm:px-3",
                  isCurrent
                    ? "border-foreground font-medium"
                    : "border-transparent text-muted hover:text-foreground",
                )}
              >
                {label}
              </Link>
            );
          })}
      </div>
    </nav>
  );
}
