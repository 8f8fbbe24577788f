"use client";

import { zodResolver } from "@hookform/resolvers/zod";
import { useForm } from "react-hook-form";
import { useChangeApiKey, type ApiKeyChange } from "@/api/api-keys";
import { useEnforcedByAws } from "@/api/site";
import type { ApiKey, UsagePlan } from "@/api/types";
import { DialogForm } from "@/components/dialog-form";
import { PlanField } from "@/components/plan-field";
import { Dialog } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import * as strings from "@/strings";
import { fromDateTimeInput, toDateTimeInput } from "@/time/local-time";
import { editSchema, modelsOf, type EditValues } from "./key-schema";
import { tellOutcome } from "./tell-outcome";

const words = strings.keys;

type Props = { apiKey: ApiKey; plans: UsagePlan[]; onClose: () => void };

export function EditKeyDialog({ apiKey, plans, onClose }: Props) {
  const change = useChangeApiKey();
  const enforcedByAws = useEnforcedByAws();
  const expiry = apiKey.expires_at ? toDateTimeInput(apiKey.expires_at) : "";
  const form = useForm<EditValues>({
    resolver: zodResolver(editSchema(expiry)),
    defaultValues: {
      name: apiKey.name,
      usage_plan_id: apiKey.next_usage_plan_id ?? apiKey.usage_plan_id,
      note: apiKey.note,
      expires_at: expiry,
      allowed_models: apiKey.allowed_models.join(", "),
    },
  });
  const { errors, dirtyFields } = form.formState;
  // A key can keep a plan that an operator assigned.
  const choices = plans.filter((plan) => plan.self_service || plan.id === apiKey.usage_plan_id);

  const submit = form.handleSubmit((values) => {
    // Only what was edited: an operator, or another tab, may have changed the rest meanwhile.
    const changed: ApiKeyChange = { id: apiKey.id };
    if (dirtyFields.name) changed.name = values.name;
    if (dirtyFields.usage_plan_id) changed.usage_plan_id = values.usage_plan_id;
    if (dirtyFields.note) changed.note = values.note;
    if (dirtyFields.expires_at) {
      changed.expires_at = values.expires_at ? fromDateTimeInput(values.expires_at) : null;
    }
    if (dirtyFields.allowed_models) changed.allowed_models = modelsOf(values.allowed_models);
    tellOutcome(change.mutateAsync(changed), apiKey.name, words.saved);
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
        <Field label={words.note} hint={words.noteHint} error={errors.note?.message}>
          {(control) => <Input {...control} {...form.register("note")} autoComplete="off" />}
        </Field>
        <Field label={words.expiresAt} hint={words.expiresAtHint} error={errors.expires_at?.message}>
          {(control) => <Input {...control} {...form.register("expires_at")} type="datetime-local" />}
        </Field>
        <Field label={words.allowedModels} hint={words.allowedModelsHint} error={errors.allowed_models?.message}>
          {(control) => (
            <Input {...control} {...form.register("allowed_models")} autoComplete="off" spellCheck={false} />
          )}
        </Field>
      </DialogForm>
    </Dialog>
  );
}
