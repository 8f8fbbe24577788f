import { useModels } from "@/api/models";
import { useUsagePlans } from "@/api/usage-plans";
import { chooseModel, modelsOfPlan } from "@/components/snippets/choose-model";

/** Return the model to use in snippets for a key on this plan. */
export function useSnippetModel(usagePlanId: string): string {
  const { data: plans } = useUsagePlans();
  const { data: models } = useModels();
  const allowed = plans?.find(({ id }) => id === usagePlanId)?.models ?? [];
  return chooseModel(modelsOfPlan(allowed, (models ?? []).map(({ id }) => id)));
}
