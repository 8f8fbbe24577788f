"use client";

import { zodResolver } from "@hookform/resolvers/zod";
import { useForm } from "react-hook-form";
import { useInvite } from "@/api/operator";
import { showProblem } from "@/forms/show-problem";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { Notice } from "@/components/ui/notice";
import { Select } from "@/components/ui/select";
import * as z from "@/forms/zod";
import * as strings from "@/strings";

const words = strings.operator.signUp;

const schema = z.object({
  note: z.string().check(z.trim(), z.maxLength(80, words.noteLong)),
  // A select's value is a string.
  days: z.coerce.number<string | number>().check(z.minimum(1), z.maximum(90)),
});

export function InvitationForm({ onCreated }: { onCreated: (token: string) => void }) {
  const invite = useInvite();
  const form = useForm({
    resolver: zodResolver(schema),
    defaultValues: { note: "", days: 7 as string | number },
  });
  const { errors, isSubmitting } = form.formState;

  const submit = form.handleSubmit(async (values) => {
    try {
      const { token } = await invite.mutateAsync(values);
      invite.reset();
      form.reset();
      onCreated(token);
    } catch (error) {
      showProblem(form, error);
    }
  });

  return (
    <form noValidate onSubmit={submit} className="space-y-4">
      {errors.root?.server && <Notice tone="danger" alert>{errors.root.server.message}</Notice>}
      <div className="flex flex-wrap items-start gap-4">
        <Field label={words.note} hint={words.noteHint} error={errors.note?.message} className="w-64">
          {(control) => <Input {...control} {...form.register("note")} autoComplete="off" />}
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
        <Button type="submit" className="mt-6.5" pending={isSubmitting}>
          {words.invite}
        </Button>
      </div>
    </form>
  );
}
