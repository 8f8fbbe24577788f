import Link from "next/link";
import { ByEnforcer } from "@/components/by-enforcer";
import * as strings from "@/strings";

export function Footer() {
  return (
    <footer className="border-t">
      <div className="mx-auto flex max-w-6xl flex-wrap items-center justify-between gap-x-6 gap-y-2 px-4 py-6 text-sm text-muted sm:px-6">
        <ByEnforcer embedded={strings.nav.footer} aws={strings.nav.footerAws} />
        <Link href="/docs/" prefetch={false} className="rounded-sm underline-offset-4 hover:text-foreground hover:underline">
          {strings.nav.apiReference}
        </Link>
      </div>
    </footer>
  );
}
