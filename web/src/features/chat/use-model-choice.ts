import { useState } from "react";
import type { UsagePlan } from "@/api/types";
import { chatModels, chooseModel, modelsOfPlan } from "@/components/snippets/choose-model";

/** Return the models that both the upstream and the key's plan offer, and the selected one. */
export function useModelChoice(
  models: string[],
  plan: UsagePlan | undefined,
): [string, (model: string) => void, string[]] {
  const [wanted, setWanted] = useState<string>();
  const choices = chatModels(modelsOfPlan(plan?.models ?? [], models));
  const model = wanted && choices.includes(wanted) ? wanted : chooseModel(choices);
  return [model, setWanted, choices.includes(model) ? choices : [model, ...choices]];
}
