"use client";

import { useSite } from "@/api/site";
import { LinkedParagraphs } from "@/components/linked-paragraphs";
import { LoadFailed } from "@/components/load-failed";
import { PageHeading } from "@/components/page-heading";
import { Skeleton } from "@/components/ui/skeleton";
import * as strings from "@/strings";

const words = strings.terms;

export function TermsPage() {
  const { data: site, error, isFetching, refetch } = useSite();
  return (
    <article className="mx-auto w-full max-w-3xl px-4 py-10 sm:px-6">
      <PageHeading title={words.title} text={site?.terms ? words.version(site.terms.version) : undefined} />
      {site ? (
        <div className="space-y-4 leading-7">
          {site.terms ? <LinkedParagraphs text={site.terms.text} /> : <p>{words.none}</p>}
        </div>
      ) : error ? (
        <LoadFailed error={error} retrying={isFetching} onRetry={() => void refetch()} />
      ) : (
        <Skeleton className="h-96 w-full rounded-xl" />
      )}
    </article>
  );
}
