"use client";

import { zodResolver } from "@hookform/resolvers/zod";
import { useForm } from "react-hook-form";
import { useChangeSettings } from "@/api/operator";
import type { Setting } from "@/api/types";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { Notice } from "@/components/ui/notice";
import { Select } from "@/components/ui/select";
import { toast } from "@/components/ui/toast";
import { showProblem } from "@/forms/show-problem";
import * as strings from "@/strings";
import { schemaOf, textOf, valueOf, type SettingField, type SettingValues } from "./setting-fields";

const words = strings.operator.settings;

type Props = { fields: SettingField[]; settings: Setting[] };

/** A group of settings that are saved together. Those that are set elsewhere are read-only. */
export function SettingsForm({ fields, settings }: Props) {
  const change = useChangeSettings();
  const settingOf = ({ name }: SettingField) => settings.find((setting) => setting.name === name)!;
  const isEditable = (field: SettingField) => {
    const { place, unavailable } = settingOf(field);
    return place === null && unavailable === null;
  };
  const editable = fields.filter(isEditable);
  const form = useForm<SettingValues>({
    resolver: zodResolver(schemaOf(editable)),
    values: Object.fromEntries(editable.map((field) => [field.name, textOf(field, settingOf(field))])),
    // Saving one group loads all settings again: keep what is being typed in the others.
    resetOptions: { keepDirtyValues: true },
  });
  const { errors, isSubmitting, isDirty, dirtyFields } = form.formState;

  const submit = form.handleSubmit(async (values) => {
    const changed = editable.filter(({ name }) => dirtyFields[name]);
    if (changed.length === 0) return;
    try {
      const saved = await change.mutateAsync(
        Object.fromEntries(changed.map((field) => [field.name, valueOf(field, values[field.name]!)])),
      );
      const now = new Map(saved.settings.map((setting) => [setting.name, setting]));
      form.reset(
        Object.fromEntries(editable.map((field) => [field.name, textOf(field, now.get(field.name)!)])),
      );
      toast(words.saved);
    } catch (error) {
      showProblem(form, error);
    }
  });

  return (
    <form noValidate onSubmit={submit} className="space-y-5">
      {errors.root?.server && <Notice tone="danger" alert>{errors.root.server.message}</Notice>}
      <div className="grid items-start gap-5 sm:grid-cols-2">
        {fields.map((field) =>
          isEditable(field) ? (
            <Field key={field.name} label={field.label} hint={field.hint} error={errors[field.name]?.message}>
              {(control) =>
                field.kind === "choice" ? (
                  <Select {...control} {...form.register(field.name)}>
                    {Object.entries(field.choices).map(([value, choice]) => (
                      <option key={value} value={value}>
                        {choice}
                      </option>
                    ))}
                  </Select>
                ) : (
                  <Input
                    {...control}
                    {...form.register(field.name)}
                    placeholder={placeholderOf(field, settingOf(field))}
                    inputMode={field.kind === "amount" ? "decimal" : field.kind === "number" ? "numeric" : undefined}
                    autoComplete="off"
                    spellCheck={false}
                  />
                )
              }
            </Field>
          ) : (
            <SetElsewhere key={field.name} field={field} setting={settingOf(field)} />
          ),
        )}
      </div>
      {editable.length > 0 && (
        <div className="flex flex-wrap items-center gap-3">
          <Button type="submit" pending={isSubmitting} aria-disabled={!isDirty || undefined}>
            {strings.actions.save}
          </Button>
          <p role="status" className="text-sm text-muted">
            {isDirty ? words.unsaved : words.allSaved}
          </p>
        </div>
      )}
    </form>
  );
}

function placeholderOf(field: SettingField, { default: fallback }: Setting): string | undefined {
  if (field.name === "account_requests_per_day") return words.largestPlan;
  if (field.kind === "amount") return words.noLimit;
  return field.kind === "number" ? String(fallback) : undefined;
}

function SetElsewhere({ field, setting }: { field: SettingField; setting: Setting }) {
  const text = textOf(field, { ...setting, source: "settings" });
  const shown = field.kind === "choice" ? field.choices[text] : text;
  const reason = setting.unavailable ?? words.setIn(setting.place!);
  return (
    <Field label={field.label} hint={reason}>
      {(control) => (
        <Input
          {...control}
          readOnly
          value={shown ?? ""}
          placeholder={field.kind === "amount" ? words.noLimit : undefined}
          className="bg-surface text-muted"
        />
      )}
    </Field>
  );
}
