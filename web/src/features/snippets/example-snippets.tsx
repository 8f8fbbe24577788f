"use client";

import { useGatewayBaseUrl } from "@/api/site";
import { useUsagePlans } from "@/api/usage-plans";
import { CodeBlock } from "@/components/code-block";
import { Tabs } from "@/components/ui/tabs";
import { strings } from "@/strings";
import { chooseModel } from "./choose-model";
import { snippets } from "./snippets";

/** What calling the API looks like, for people who have no key yet. */
export function ExampleSnippets() {
  const baseUrl = useGatewayBaseUrl() ?? "https://…/v1";
  const { data: plans } = useUsagePlans();
  const model = chooseModel(plans?.[0]?.models ?? []);
  return (
    <div className="overflow-hidden rounded-xl border bg-raised">
      <Tabs
        label={strings.landing.snippetTitle}
        tabs={snippets({ baseUrl, model, key: "dp_your_key" }).map(({ id, label, code }) => ({
          id,
          label,
          content: <CodeBlock code={code} />,
        }))}
      />
    </div>
  );
}
