"use client";

import { zodResolver } from "@hookform/resolvers/zod";
import { useForm } from "react-hook-form";
import { useManagedPlans } from "@/api/operator";
import { DialogForm } from "@/components/dialog-form";
import { PlanField } from "@/components/plan-field";
import { Dialog } from "@/components/ui/dialog";
import { showProblem } from "@/forms/show-problem";
import * as z from "@/forms/zod";
import * as strings from "@/strings";
import { Loaded } from "./loaded";

const words = strings.operator.keys;

const schema = z.object({
  usage_plan_id: z.string().check(z.minLength(1, strings.keys.planMissing)),
});

type Props = {
  title: string;
  /** The plan that is selected at first. */
  planId?: string;
  onAssign: (usagePlanId: string) => Promise<void>;
  onClose: () => void;
};

/** Assign any plan, including ones that people cannot choose themselves. */
export function AssignPlanDialog({ title, planId = "", onAssign, onClose }: Props) {
  const plans = useManagedPlans();
  const form = useForm({
    resolver: zodResolver(schema),
    defaultValues: { usage_plan_id: planId },
  });
  const { errors, isSubmitting } = form.formState;

  const submit = form.handleSubmit(async (values) => {
    try {
      await onAssign(values.usage_plan_id);
      onClose();
    } catch (error) {
      showProblem(form, error);
    }
  });

  return (
    <Dialog onClose={onClose} title={title} description={words.moveText}>
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
