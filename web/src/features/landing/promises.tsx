import { ByEnforcer } from "@/components/by-enforcer";
import * as strings from "@/strings";

const words = strings.landing;

/** When a day begins, and what counts in it. */
export function PlansText() {
  return (
    <p className="mt-3 max-w-2xl leading-7 text-muted">
      <ByEnforcer embedded={words.plansText} aws={words.plansTextAws} />
    </p>
  );
}

/** What can be relied on; how exactly is counted is the enforcer's to promise. */
export function Facts() {
  return (
    <ByEnforcer
      embedded={<FactList facts={words.facts} />}
      aws={<FactList facts={words.factsAws} />}
    />
  );
}

function FactList({ facts }: { facts: typeof words.facts }) {
  return facts.map(({ title, text }) => (
    <div key={title}>
      <dt className="font-medium">{title}</dt>
      <dd className="mt-2 text-sm leading-6 text-muted">{text}</dd>
    </div>
  ));
}
