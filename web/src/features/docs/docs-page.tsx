import { PageHeading } from "@/components/page-heading";
import * as strings from "@/strings";
import { Contents } from "./contents";
import { GatewayReference } from "./gateway-reference";
import { PortalReference } from "./portal-reference";

const words = strings.docs;

export function DocsPage() {
  return (
    <div className="mx-auto w-full max-w-6xl gap-12 px-4 py-10 sm:px-6 lg:grid lg:grid-cols-[13rem_minmax(0,1fr)]">
      <nav aria-label={words.contents} className="hidden lg:block">
        <div className="sticky top-14 -my-10 max-h-[calc(100dvh-3.5rem)] overflow-y-auto py-10">
          <Contents />
        </div>
      </nav>
      <div className="min-w-0">
        <PageHeading title={words.title} text={words.lead} />
        <details className="mb-10 rounded-lg border bg-surface lg:hidden">
          <summary className="px-4 py-3 text-sm font-medium">{words.contents}</summary>
          <nav aria-label={words.contents} className="border-t px-4 py-3">
            <Contents />
          </nav>
        </details>
        <GatewayReference />
        <PortalReference />
      </div>
    </div>
  );
}
