"use client";

import { zodResolver } from "@hookform/resolvers/zod";
import { useId } from "react";
import { useForm } from "react-hook-form";
import { useCreateToken } from "@/api/operator";
import type { CreatedToken, TokenScope } from "@/api/types";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { Notice } from "@/components/ui/notice";
import { Select } from "@/components/ui/select";
import { showProblem } from "@/forms/show-problem";
import * as z from "@/forms/zod";
import * as strings from "@/strings";

const words = strings.tokens;
const scopes = Object.keys(words.scopeNames) as TokenScope[];

const schema = z.object({
  name: z.string().check(z.trim(), z.minLength(1, words.nameMissing), z.maxLength(80, words.nameLong)),
  scopes: z.array(z.enum(scopes)).check(z.minLength(1, words.scopesMissing)),
  // A select's value is a string.
  days: z.coerce.number<string | number>().check(z.minimum(1), z.maximum(366)),
});

export function TokenForm({ onCreated }: { onCreated: (created: CreatedToken) => void }) {
  const create = useCreateToken();
  const errorId = useId();
  const form = useForm({
    resolver: zodResolver(schema),
    defaultValues: { name: "", scopes: ["read"] as TokenScope[], days: 90 as string | number },
  });
  const { errors, isSubmitting } = form.formState;

  const submit = form.handleSubmit(async (values) => {
    try {
      const created = await create.mutateAsync(values);
      create.reset();
      form.reset();
      onCreated(created);
    } catch (error) {
      showProblem(form, error);
    }
  });

  return (
    <form noValidate onSubmit={submit} className="space-y-4">
      {errors.root?.server && <Notice tone="danger" alert>{errors.root.server.message}</Notice>}
      <div className="flex flex-wrap items-start gap-4">
        <Field label={words.name} hint={words.nameHint} error={errors.name?.message} className="w-64">
          {(control) => <Input {...control} {...form.register("name")} autoComplete="off" />}
        </Field>
        <Field label={words.days} error={errors.days?.message} className="w-40">
          {(control) => (
            <Select {...control} {...form.register("days")}>
              {words.dayChoices.map(({ days, label }) => (
                <option key={days} value={days}>
                  {label}
                </option>
              ))}
            </Select>
          )}
        </Field>
      </div>
      <fieldset aria-describedby={errors.scopes && errorId}>
        <legend className="mb-2 text-sm font-medium">{words.scopes}</legend>
        <div className="space-y-2">
          {scopes.map((scope) => (
            <label key={scope} className="flex items-center gap-2.5 text-sm">
              <input
                type="checkbox"
                value={scope}
                {...form.register("scopes")}
                className="size-4 accent-accent"
              />
              {words.scopeNames[scope]}
            </label>
          ))}
        </div>
        {errors.scopes && (
          <p id={errorId} role="alert" className="mt-1.5 text-sm text-danger">
            {errors.scopes.message}
          </p>
        )}
      </fieldset>
      <Button type="submit" pending={isSubmitting}>
        {words.create}
      </Button>
    </form>
  );
}
