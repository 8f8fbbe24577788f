"use client";

import clsx from "clsx";
import Link from "next/link";
import { usePathname } from "next/navigation";
import * as strings from "@/strings";

const { keys, chat, usage, docs, operator } = strings.nav;

const links = [
  { href: "/keys/", label: keys },
  { href: "/chat/", label: chat },
  { href: "/usage/", label: usage },
  // The longest page of the site, so load it on demand only.
  { href: "/docs/", label: docs, prefetch: false },
];

/** On phones, operators find their pages in the account menu: the row has no room for the link. */
const operatorLink = { href: "/operator/", label: operator, prefetch: undefined };

export default function NavLinks({ isOperator }: { isOperator: boolean }) {
  const here = usePathname();
  return (
    <nav aria-label={strings.nav.label} className="flex shrink-0 whitespace-nowrap">
      {(isOperator ? [...links, operatorLink] : links).map(({ href, label, prefetch }) => {
        const current = here.startsWith(href);
        return (
          <Link
            key={href}
            href={href}
            prefetch={prefetch}
            // The page itself, or one of its section.
            aria-current={here === href ? "page" : current || undefined}
            className={clsx(
              "rounded-md px-2 py-1.5 text-sm transition-colors hover:text-foreground sm:px-3",
              current ? "font-medium text-foreground" : "text-muted",
              href === operatorLink.href && "max-sm:hidden",
            )}
          >
            {label}
          </Link>
        );
      })}
    </nav>
  );
}
