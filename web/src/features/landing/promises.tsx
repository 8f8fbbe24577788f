"use client";

import { useEnforcedByAws } from "@/api/site";
import * as strings from "@/strings";

const words = strings.landing;

/** When a day begins, and what counts in it. */
export function PlansText() {
  const text = useEnforcedByAws() ? words.plansTextAws : words.plansText;
  return <p className="mt-3 max-w-2xl leading-7 text-muted">{text}</p>;
}

/** What can be relied on; how exactly is counted is the enforcer's to promise. */
export function Facts() {
  const facts = useEnforcedByAws() ? words.factsAws : words.facts;
  return facts.map(({ title, text }) => (
    <div key={title}>
      <dt className="font-medium">{title}</dt>
      <dd className="mt-2 text-sm leading-6 text-muted">{text}</dd>
    </div>
  ));
}
