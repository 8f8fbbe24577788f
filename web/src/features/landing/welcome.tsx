"use client";

import { useSite } from "@/api/site";
import { LinkedParagraphs } from "@/components/linked-paragraphs";
import * as strings from "@/strings";

/** The operator's welcome text, or ours. Ours is not painted first if there is another. */
export function Welcome() {
  const text = useSite().data?.welcome_text;
  return (
    <div className="mt-6 max-w-xl space-y-4 text-lg leading-8 text-pretty text-muted">
      {text ? (
        <LinkedParagraphs text={text} />
      ) : (
        <p className="welcome:invisible">{strings.landing.lead}</p>
      )}
    </div>
  );
}
