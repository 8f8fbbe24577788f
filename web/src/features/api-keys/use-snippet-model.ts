import { useModels } from "@/api/models";
import { useUsagePlans } from "@/api/usage-plans";
import { chooseModel, modelsOfPlan } from "@/components/snippets/choose-model";

/** The model to name in the snippets of a key with this usage plan. */
export function useSnippetModel(usagePlanId: string): string {
  const { data: plans } = useUsagePlans();
  const { data: models } = useModels();
  const allowed = plans?.find(({ id }) => id === usagePlanId)?.models ?? [];
  return chooseModel(modelsOfPlan(allowed, (models ?? []).map(({ id }) => id)));
}
