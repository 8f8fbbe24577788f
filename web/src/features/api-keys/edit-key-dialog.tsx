"use client";

import { zodResolver } from "@hookform/resolvers/zod";
import { useForm } from "react-hook-form";
import { useChangeApiKey } from "@/api/api-keys";
import { useEnforcedByAws } from "@/api/site";
import type { ApiKey, UsagePlan } from "@/api/types";
import { DialogForm } from "@/components/dialog-form";
import { PlanField } from "@/components/plan-field";
import { Dialog } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import * as strings from "@/strings";
import { keySchema, type KeyValues } from "./key-schema";
import { tellOutcome } from "./tell-outcome";

const words = strings.keys;

type Props = { apiKey: ApiKey; plans: UsagePlan[]; onClose: () => void };

export function EditKeyDialog({ apiKey, plans, onClose }: Props) {
  const change = useChangeApiKey();
  const enforcedByAws = useEnforcedByAws();
  const form = useForm<KeyValues>({
    resolver: zodResolver(keySchema),
    defaultValues: {
      name: apiKey.name,
      usage_plan_id: apiKey.next_usage_plan_id ?? apiKey.usage_plan_id,
    },
  });
  const { errors } = form.formState;
  // A key can keep a plan that an operator assigned.
  const choices = plans.filter((plan) => plan.self_service || plan.id === apiKey.usage_plan_id);

  const submit = form.handleSubmit((values) => {
    tellOutcome(change.mutateAsync({ id: apiKey.id, ...values }), apiKey.name, words.saved);
    onClose();
  });

  return (
    <Dialog onClose={onClose} title={words.editTitle} description={enforcedByAws ? words.editTextAws : words.editText}>
      <DialogForm
        onSubmit={submit}
        onCancel={onClose}
        submitLabel={strings.actions.save}
      >
        <Field label={words.name} error={errors.name?.message}>
          {(control) => <Input {...control} {...form.register("name")} autoComplete="off" />}
        </Field>
        <PlanField plans={choices} registration={form.register("usage_plan_id")} error={errors.usage_plan_id?.message} />
      </DialogForm>
    </Dialog>
  );
}
