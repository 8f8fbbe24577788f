import Link from "next/link";
import { ByEnforcer } from "@/components/by-enforcer";
import * as strings from "@/strings";
import { TermsLink } from "./terms-link";

const link = "rounded-sm underline-offset-4 hover:text-foreground hover:underline";

export function Footer() {
  return (
    <footer className="border-t">
      <div className="mx-auto flex max-w-6xl flex-wrap items-center justify-between gap-x-6 gap-y-2 px-4 py-6 text-sm text-muted sm:px-6">
        <ByEnforcer embedded={strings.nav.footer} aws={strings.nav.footerAws} />
        <div className="flex flex-wrap gap-x-6 gap-y-2">
          <TermsLink className={link} />
          <Link href="/docs/" prefetch={false} className={link}>
            {strings.nav.apiReference}
          </Link>
        </div>
      </div>
    </footer>
  );
}
