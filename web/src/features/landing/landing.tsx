import { ExampleSnippets } from "@/components/snippets/example-snippets";
import { buttonStyles } from "@/components/ui/button";
import * as strings from "@/strings";
import { CallToAction } from "./call-to-action";
import { Plans } from "./plans";
import { Facts, PlansText, SnippetText, Steps } from "./promises";
import { Welcome } from "./welcome";

const words = strings.landing;
const band = "mx-auto w-full max-w-6xl px-4 sm:px-6";
const sectionTitle = "text-2xl font-semibold tracking-tight sm:text-3xl";

export function Landing() {
  return (
    <div className="pb-24">
      <section className={`${band} grid items-center gap-12 py-16 sm:py-24 lg:grid-cols-2`}>
        <div>
          <h1 className="text-4xl font-semibold tracking-tighter text-balance sm:text-5xl lg:text-6xl">
            {words.headline.map((sentence) => (
              <span key={sentence} className="block">
                {sentence}{" "}
              </span>
            ))}
          </h1>
          <Welcome />
          <div className="mt-8 flex flex-wrap gap-3">
            <CallToAction />
            <a href="#plans" className={buttonStyles({ variant: "secondary", size: "large" })}>
              {words.seePlans}
            </a>
          </div>
        </div>
        <div className="min-w-0">
          <ExampleSnippets />
          <SnippetText />
        </div>
      </section>

      <section aria-labelledby="steps" className="border-y bg-surface">
        <div className={`${band} py-16`}>
          <h2 id="steps" className={sectionTitle}>
            {words.stepsTitle}
          </h2>
          <Steps />
        </div>
      </section>

      <section aria-labelledby="plans" className={`${band} py-20`}>
        <h2 id="plans" className={`${sectionTitle} scroll-mt-20`}>
          {words.plansTitle}
        </h2>
        <PlansText />
        <div className="mt-10">
          <Plans />
        </div>
      </section>

      <section aria-labelledby="facts" className={band}>
        <div className="border-t pt-16">
          <h2 id="facts" className={sectionTitle}>
            {words.factsTitle}
          </h2>
          <Facts />
        </div>
      </section>
    </div>
  );
}
