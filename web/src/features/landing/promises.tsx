import { ByEnforcer } from "@/components/by-enforcer";
import * as strings from "@/strings";

const words = strings.landing;

/** When a day starts, and what counts. */
export function PlansText() {
  return (
    <div className="mt-3 max-w-2xl leading-7 text-muted">
      <ByEnforcer embedded={words.plansText} aws={words.plansTextAws} />
    </div>
  );
}

/** How to point a client at this site. */
export function SnippetText() {
  return (
    <div className="mt-3 text-sm leading-6 text-muted">
      <ByEnforcer embedded={words.snippetText} aws={words.snippetTextAws} />
    </div>
  );
}

/** The steps from sign-up to the first response. */
export function Steps() {
  return (
    <ByEnforcer
      embedded={<StepList steps={words.steps} />}
      aws={<StepList steps={words.stepsAws} />}
    />
  );
}

function StepList({ steps }: { steps: typeof words.steps }) {
  return (
    <ol className="mt-10 grid gap-8 sm:grid-cols-3">
      {steps.map(({ title, text }, index) => (
        <li key={title}>
          <span aria-hidden className="font-mono text-sm text-accent">
            {index + 1}
          </span>
          <h3 className="mt-2 font-medium">{title}</h3>
          <p className="mt-2 text-sm leading-6 text-muted">{text}</p>
        </li>
      ))}
    </ol>
  );
}

/** What users can rely on. Exactness depends on the enforcer. */
export function Facts() {
  return (
    <ByEnforcer
      embedded={<FactList facts={words.facts} />}
      aws={<FactList facts={words.factsAws} />}
    />
  );
}

function FactList({ facts }: { facts: typeof words.facts }) {
  return (
    <dl className="mt-10 grid gap-8 sm:grid-cols-3">
      {facts.map(({ title, text }) => (
        <div key={title}>
          <dt className="font-medium">{title}</dt>
          <dd className="mt-2 text-sm leading-6 text-muted">{text}</dd>
        </div>
      ))}
    </dl>
  );
}
