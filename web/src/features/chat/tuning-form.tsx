"use client";

import { zodResolver } from "@hookform/resolvers/zod";
import clsx from "clsx";
import { useEffect } from "react";
import { useForm } from "react-hook-form";
import { Field } from "@/components/ui/field";
import { controlStyles, Input } from "@/components/ui/input";
import * as strings from "@/strings";
import type { Tuning } from "./conversation-store";
import { toTuning, tuningSchema, valuesOf } from "./tuning";

const words = strings.chat;

type Props = {
  tuning: Tuning;
  onChange: (tuning: Tuning) => void;
  /** Called with whether the fields are valid. */
  onValid: (isValid: boolean) => void;
};

/** Settings of the conversation, collapsed by default and saved while typing. */
export function TuningForm({ tuning, onChange, onValid }: Props) {
  const form = useForm({
    resolver: zodResolver(tuningSchema),
    defaultValues: valuesOf(tuning),
    mode: "onChange",
  });
  const { errors } = form.formState;

  useEffect(
    () =>
      form.subscribe({
        formState: { values: true },
        callback: ({ values }) => {
          const checked = tuningSchema.safeParse(values);
          onValid(checked.success);
          if (checked.success) onChange(toTuning(checked.data));
        },
      }),
    [form, onChange, onValid],
  );

  const changed = tuning.instructions.trim() !== "" || tuning.temperature !== null;
  return (
    <details className="group border-b pb-3 text-sm">
      <summary className="w-fit rounded-md py-1 text-muted hover:text-foreground">
        {words.tuning}
        {changed && <span className="ml-2 text-accent">{words.tuningSet}</span>}
      </summary>
      <form noValidate className="mt-3 space-y-4" onSubmit={(event) => event.preventDefault()}>
        <Field label={words.instructions} hint={words.instructionsHint}>
          {(control) => (
            <textarea
              {...control}
              {...form.register("instructions")}
              rows={3}
              className={clsx(controlStyles, "py-2")}
            />
          )}
        </Field>
        <Field
          label={words.temperature}
          hint={words.temperatureHint}
          error={errors.temperature?.message}
        >
          {(control) => (
            <Input
              {...control}
              {...form.register("temperature")}
              inputMode="decimal"
              autoComplete="off"
              className="max-w-32"
            />
          )}
        </Field>
      </form>
    </details>
  );
}
