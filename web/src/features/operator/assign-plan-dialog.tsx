"use client";

import { zodResolver } from "@hookform/resolvers/zod";
import { useForm } from "react-hook-form";
import { useAssignPlan, useManagedPlans } from "@/api/operator";
import type { OwnedKey } from "@/api/types";
import { DialogForm } from "@/components/dialog-form";
import { PlanField } from "@/components/plan-field";
import { Dialog } from "@/components/ui/dialog";
import { toast } from "@/components/ui/toast";
import { showProblem } from "@/forms/show-problem";
import * as z from "@/forms/zod";
import * as strings from "@/strings";
import { Loaded } from "./loaded";

const words = strings.operator.keys;

const schema = z.object({
  usage_plan_id: z.string().check(z.minLength(1, strings.keys.planMissing)),
});

type Props = { apiKey: Pick<OwnedKey, "id" | "name" | "usage_plan_id">; onClose: () => void };

/** Assign any plan, including ones that people cannot choose themselves. */
export function AssignPlanDialog({ apiKey, onClose }: Props) {
  const plans = useManagedPlans();
  const assign = useAssignPlan();
  const form = useForm({
    resolver: zodResolver(schema),
    defaultValues: { usage_plan_id: apiKey.usage_plan_id },
  });
  const { errors, isSubmitting } = form.formState;

  const submit = form.handleSubmit(async (values) => {
    try {
      await assign.mutateAsync({ id: apiKey.id, ...values });
      toast(words.moved);
      onClose();
    } catch (error) {
      showProblem(form, error);
    }
  });

  return (
    <Dialog onClose={onClose} title={words.moveTitle(apiKey.name)} description={words.moveText}>
      <Loaded query={plans} skeleton="h-32">
        {({ plans: choices }) => (
          <DialogForm
            onSubmit={submit}
            onCancel={onClose}
            submitLabel={strings.actions.save}
            pending={isSubmitting}
            error={errors.root?.server?.message}
          >
            <PlanField plans={choices} registration={form.register("usage_plan_id")} error={errors.usage_plan_id?.message} />
          </DialogForm>
        )}
      </Loaded>
    </Dialog>
  );
}
