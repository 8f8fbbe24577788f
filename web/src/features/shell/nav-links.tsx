"use client";

import clsx from "clsx";
import Link from "next/link";
import { usePathname } from "next/navigation";
import * as strings from "@/strings";

const { keys, chat, usage, docs } = strings.nav;

const links = [
  { href: "/keys/", label: keys },
  { href: "/chat/", label: chat },
  { href: "/usage/", label: usage },
  // The longest page of the site, so load it on demand only.
  { href: "/docs/", label: docs, prefetch: false },
];

export default function NavLinks() {
  const here = usePathname();
  return (
    <nav aria-label={strings.nav.label} className="flex">
      {links.map(({ href, label, prefetch }) => {
        const current = here === href;
        return (
          <Link
            key={href}
            href={href}
            prefetch={prefetch}
            aria-current={current ? "page" : undefined}
            className={clsx(
              "rounded-md px-2 py-1.5 text-sm transition-colors hover:text-foreground sm:px-3",
              current ? "font-medium text-foreground" : "text-muted",
            )}
          >
            {label}
          </Link>
        );
      })}
    </nav>
  );
}
