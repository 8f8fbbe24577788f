"use client";

import Link from "next/link";
import { useAcceptTerms, useSignOut } from "@/api/auth";
import { messageOf } from "@/api/problem";
import type { Site } from "@/api/types";
import { LinkedParagraphs } from "@/components/linked-paragraphs";
import { Button, buttonStyles } from "@/components/ui/button";
import { Notice } from "@/components/ui/notice";
import * as strings from "@/strings";

const words = strings.terms;

type Props = { terms: NonNullable<Site["terms"]>; isFirst: boolean };

/** Shown instead of a page to people who have not accepted the current terms. */
export default function AcceptTerms({ terms: { text, version }, isFirst }: Props) {
  const accept = useAcceptTerms();
  const signOut = useSignOut();
  const error = accept.error ?? signOut.error;
  return (
    <section aria-labelledby="terms" className="mx-auto w-full max-w-3xl px-4 py-10 sm:px-6">
      <h1 id="terms" className="text-2xl font-semibold tracking-tight">
        {isFirst ? words.firstTitle : words.newTitle}
      </h1>
      <p className="mt-2 leading-7 text-muted">
        {words.version(version)} {words.gateText}
      </p>
      <div
        tabIndex={0}
        role="region"
        aria-label={words.title}
        className="my-6 max-h-[55vh] space-y-4 overflow-y-auto rounded-xl border bg-raised p-5 leading-7"
      >
        <LinkedParagraphs text={text} />
      </div>
      {error && (
        <div className="mb-6">
          <Notice tone="danger" alert>
            {messageOf(error)}
          </Notice>
        </div>
      )}
      <div className="flex flex-wrap gap-3">
        <Button pending={accept.isPending} onClick={() => accept.mutate(version)}>
          {words.acceptButton}
        </Button>
        <Button variant="secondary" pending={signOut.isPending} onClick={() => signOut.mutate()}>
          {strings.accountMenu.signOut}
        </Button>
        <Link href="/terms/" className={buttonStyles({ variant: "ghost" })}>
          {words.openPage}
        </Link>
      </div>
    </section>
  );
}
