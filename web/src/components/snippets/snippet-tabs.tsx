"use client";

import { useEnforcedByAws } from "@/api/site";
import { useUsagePlans } from "@/api/usage-plans";
import { CodeBlock } from "@/components/code-block";
import { Tabs } from "@/components/ui/tabs";
import * as strings from "@/strings";
import { chooseModel, modelsOfPlan } from "./choose-model";
import { exampleKey, snippets } from "./snippets";
import { useExampleBaseUrl } from "./use-example-base-url";

export default function SnippetTabs() {
  const baseUrl = useExampleBaseUrl();
  const header = useEnforcedByAws();
  const { data: plans } = useUsagePlans();
  const model = chooseModel(modelsOfPlan(plans?.[0]?.models ?? [], []));
  return (
    <Tabs
      label={strings.snippets.label}
      tabs={snippets({ baseUrl, model, key: exampleKey, header }).map(({ id, label, code }) => ({
        id,
        label,
        content: <CodeBlock code={code} />,
      }))}
    />
  );
}
