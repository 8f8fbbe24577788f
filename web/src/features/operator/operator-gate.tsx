"use client";

import Link from "next/link";
import { usePathname } from "next/navigation";
import clsx from "clsx";
import { useEffect, useRef, type ReactNode } from "react";
import { useSession } from "@/api/session";
import { PageHeading } from "@/components/page-heading";
import { Notice } from "@/components/ui/notice";
import { Skeleton } from "@/components/ui/skeleton";
import * as strings from "@/strings";

const words = strings.operator;
const { pages } = words;

const links = [
  { href: "/operator/", label: pages.overview },
  { href: "/operator/live/", label: pages.live },
  { href: "/operator/people/", label: pages.people },
  { href: "/operator/keys/", label: pages.keys },
  { href: "/operator/plans/", label: pages.plans },
  { href: "/operator/sign-up/", label: pages.signUp },
  { href: "/operator/audit-log/", label: pages.audit },
  { href: "/operator/tokens/", label: pages.tokens },
];

/** The frame of the operator pages. The server authorises what they load. */
export function OperatorGate({ children }: { children: ReactNode }) {
  const { data: account } = useSession();
  const here = usePathname();
  const role = account?.role;
  const current = useRef<HTMLAnchorElement>(null);

  // On phones the links are wider than the page, so scroll the current one into view.
  useEffect(() => {
    current.current?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [here, role]);

  return (
    <div className="mx-auto w-full max-w-6xl px-4 py-10 sm:px-6">
      <PageHeading title={words.title} />
      {role === "operator" ? (
        <>
          <nav aria-label={words.nav} className="-mt-4 mb-8 flex gap-1 overflow-x-auto border-b">
            {links.map(({ href, label }) => (
              <Link
                key={href}
                href={href}
                ref={here === href ? current : undefined}
                aria-current={here === href ? "page" : undefined}
                className={clsx(
                  "-mb-px border-b-2 px-3 py-2.5 text-sm font-medium whitespace-nowrap -outline-offset-2",
                  here === href
                    ? "border-foreground"
                    : "border-transparent text-muted hover:text-foreground",
                )}
              >
                {label}
              </Link>
            ))}
          </nav>
          {children}
        </>
      ) : role ? (
        <Notice tone="warn" title={words.forbidden}>
          {words.forbiddenText}
        </Notice>
      ) : (
        <Skeleton className="h-96 w-full rounded-xl" />
      )}
    </div>
  );
}
