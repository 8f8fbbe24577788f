"use client";

import { zodResolver } from "@hookform/resolvers/zod";
import { useForm } from "react-hook-form";
import { useChangePlan, useCreatePlan } from "@/api/operator";
import { showProblem } from "@/forms/show-problem";
import type { ManagedPlan } from "@/api/types";
import { DialogForm } from "@/components/dialog-form";
import { Dialog } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { toast } from "@/components/ui/toast";
import * as strings from "@/strings";
import { LimitRows } from "./limit-rows";
import { numberFields, planOf, planSchema, valuesOf, type PlanValues } from "./plan-values";

const words = strings.operator.plans;

/** Create a plan, or edit `plan` if given. */
export function PlanDialog({ plan, onClose }: { plan?: ManagedPlan; onClose: () => void }) {
  const create = useCreatePlan();
  const change = useChangePlan();
  const form = useForm<PlanValues>({
    resolver: zodResolver(planSchema),
    defaultValues: valuesOf(plan),
  });
  const { errors, isSubmitting } = form.formState;

  const submit = form.handleSubmit(async (values) => {
    const next = planOf(values);
    try {
      if (plan) await change.mutateAsync({ ...next, retired: plan.retired_at !== null });
      else await create.mutateAsync(next);
      toast(plan ? words.changed : words.created);
      onClose();
    } catch (error) {
      showProblem(form, error);
    }
  });

  return (
    <Dialog
      wide
      onClose={onClose}
      title={plan ? words.editTitle : words.newTitle}
      description={plan && words.editText}
    >
      <DialogForm
        onSubmit={submit}
        onCancel={onClose}
        submitLabel={plan ? strings.actions.save : words.create}
        pending={isSubmitting}
        error={errors.root?.server?.message}
      >
        <Field label={words.name} error={errors.name?.message}>
          {(control) => <Input {...control} {...form.register("name")} autoComplete="off" />}
        </Field>
        {!plan && (
          <Field label={words.id} hint={words.idHint} error={errors.id?.message}>
            {(control) => (
              <Input {...control} {...form.register("id")} autoComplete="off" spellCheck={false} />
            )}
          </Field>
        )}
        <Field label={words.description} error={errors.description?.message}>
          {(control) => <Input {...control} {...form.register("description")} autoComplete="off" />}
        </Field>
        <fieldset>
          <legend className="text-sm font-medium">{words.limits}</legend>
          <p className="mb-3 text-sm text-muted">{words.limitsHint}</p>
          <LimitRows form={form} />
          <label className="mt-3 flex items-center gap-2.5 text-sm">
            <input
              type="checkbox"
              {...form.register("unlimited")}
              aria-invalid={errors.unlimited !== undefined}
              aria-describedby={errors.unlimited && "unlimited-error"}
              className="size-4 accent-accent"
            />
            {words.unlimited}
          </label>
          {errors.unlimited && (
            <p id="unlimited-error" role="alert" className="mt-1 text-sm text-danger">
              {errors.unlimited.message}
            </p>
          )}
        </fieldset>
        <fieldset>
          <legend className="text-sm font-medium">{words.more}</legend>
          <p className="mb-3 text-sm text-muted">{words.moreHint}</p>
          <div className="grid gap-3 sm:grid-cols-2">
            {numberFields.map(({ name, label, ...more }) => (
              <Field key={name} label={label} error={errors[name]?.message} {...more}>
                {(control) => (
                  <Input
                    {...control}
                    {...form.register(name)}
                    inputMode="numeric"
                    autoComplete="off"
                  />
                )}
              </Field>
            ))}
          </div>
        </fieldset>
        <Field label={words.models} hint={words.modelsHint} error={errors.models?.message}>
          {(control) => (
            <Input {...control} {...form.register("models")} autoComplete="off" spellCheck={false} />
          )}
        </Field>
        <label className="flex items-center gap-2.5 text-sm">
          <input
            type="checkbox"
            {...form.register("self_service")}
            className="size-4 accent-accent"
          />
          {words.selfService}
        </label>
      </DialogForm>
    </Dialog>
  );
}
