"use client";

import clsx from "clsx";
import Link from "next/link";
import { usePathname } from "next/navigation";
import { lazy, Suspense } from "react";
import { useLikelySession } from "@/api/session";
import { useSiteName } from "@/api/site";
import { Logo } from "@/components/logo";
import { buttonStyles } from "@/components/ui/button";
import * as strings from "@/strings";
import { useSiteTitle } from "./site-title";
import { ThemeSelect } from "./theme-select";

// Loaded for signed-in users only: visitors do not need the account menu.
const NavLinks = lazy(() => import("./nav-links"));
const AccountMenu = lazy(() => import("./account-menu"));
// Loaded on the operator's pages only, whose HTML already contains it.
const OperatorNav = lazy(() => import("./operator-nav"));

export function Header() {
  const account = useLikelySession();
  const name = useSiteName();
  useSiteTitle(name);
  const operating = usePathname().startsWith("/operator");
  return (
    <header className="sticky top-0 z-40 border-b bg-background/90 backdrop-blur">
      <div className="mx-auto flex h-14 max-w-6xl items-center gap-1 px-4 sm:gap-2 sm:px-6">
        <Link
          href="/"
          className="mr-auto flex min-w-0 items-center gap-2 rounded-md font-semibold tracking-tight sm:mr-4"
        >
          <Logo className="h-7" />
          {/* The portal writes the name into the exported page. */}
          <span
            data-site-name
            suppressHydrationWarning
            className={clsx("truncate", account && "max-sm:sr-only")}
          >
            {name}
          </span>
          <span className="sr-only">{strings.nav.home}</span>
        </Link>
        {account && (
          <Suspense>
            <NavLinks isOperator={account.role === "operator"} />
          </Suspense>
        )}
        <div className="flex shrink-0 items-center gap-1 sm:ml-auto sm:gap-2">
          <ThemeSelect />
          {account && (
            <Suspense fallback={<span className="size-9" />}>
              <AccountMenu account={account} />
            </Suspense>
          )}
          {account === null && <SignedOutLinks />}
        </div>
      </div>
      {operating && (
        <Suspense fallback={<div className="h-11.25" />}>
          <OperatorNav />
        </Suspense>
      )}
    </header>
  );
}

function SignedOutLinks() {
  return (
    <>
      <Link href="/sign-in/" className={buttonStyles({ variant: "ghost", size: "small" })}>
        {strings.nav.signIn}
      </Link>
      <Link href="/sign-up/" className={buttonStyles({ size: "small" })}>
        {strings.nav.signUp}
      </Link>
    </>
  );
}
