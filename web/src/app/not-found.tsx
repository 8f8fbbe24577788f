import type { Metadata } from "next";
import Link from "next/link";
import { buttonStyles } from "@/components/ui/button";
import * as strings from "@/strings";

export const metadata: Metadata = { title: strings.titles.notFound };

export default function NotFound() {
  return (
    <div className="m-auto max-w-md px-4 py-24 text-center">
      <p className="font-mono text-sm text-accent">404</p>
      <h1 className="mt-3 text-2xl font-semibold tracking-tight">{strings.titles.notFound}</h1>
      <p className="mt-3 leading-7 text-muted">{strings.errors.notFoundText}</p>
      <Link href="/" className={`${buttonStyles()} mt-8`}>
        {strings.errors.home}
      </Link>
    </div>
  );
}
