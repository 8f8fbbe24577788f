"use client";

import { zodResolver } from "@hookform/resolvers/zod";
import { useForm } from "react-hook-form";
import { useCreateApiKey } from "@/api/api-keys";
import { showProblem } from "@/forms/show-problem";
import type { CreatedApiKey, UsagePlan } from "@/api/types";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { Notice } from "@/components/ui/notice";
import * as strings from "@/strings";
import { keySchema, type KeyValues } from "./key-schema";
import { PlanChoice } from "./plan-choice";

type Props = {
  title: string;
  plans: UsagePlan[];
  keysSoFar: number;
  onCreated: (created: CreatedApiKey) => void;
  onCancel?: () => void;
};

export function CreateKeyForm({ title, plans, keysSoFar, onCreated, onCancel }: Props) {
  const create = useCreateApiKey();
  const form = useForm<KeyValues>({
    resolver: zodResolver(keySchema),
    defaultValues: {
      name: strings.keys.defaultName(keysSoFar),
      usage_plan_id: plannedOn(plans) ?? plans[0]?.id ?? "",
    },
  });
  const { errors, isSubmitting } = form.formState;

  const submit = form.handleSubmit(async (values) => {
    try {
      onCreated(await create.mutateAsync(values));
      create.reset();
    } catch (error) {
      showProblem(form, error);
    }
  });

  return (
    <form noValidate onSubmit={submit} className="space-y-6 rounded-xl border p-5 sm:p-6">
      <h2 className="text-lg font-semibold tracking-tight">{title}</h2>
      {errors.root?.server && <Notice tone="danger" alert>{errors.root.server.message}</Notice>}
      <PlanChoice
        plans={plans}
        field={form.register("usage_plan_id")}
        error={errors.usage_plan_id?.message}
      />
      <Field
        label={strings.keys.name}
        hint={strings.keys.nameHint}
        error={errors.name?.message}
        className="max-w-md"
      >
        {(control) => <Input {...control} {...form.register("name")} autoComplete="off" />}
      </Field>
      <div className="flex gap-2">
        <Button type="submit" pending={isSubmitting}>
          {strings.keys.create}
        </Button>
        {onCancel && (
          <Button variant="ghost" onClick={onCancel}>
            {strings.actions.cancel}
          </Button>
        )}
      </div>
    </form>
  );
}

/** Return the plan chosen on the landing page, if any. */
function plannedOn(plans: UsagePlan[]): string | undefined {
  const wanted = new URLSearchParams(window.location.search).get("plan");
  return plans.find(({ id }) => id === wanted)?.id;
}
