"use client";

import { useForm } from "react-hook-form";
import { useChangeSettings, useLook } from "@/api/operator";
import { ApiError } from "@/api/problem";
import type { Setting } from "@/api/types";
import { reloadSiteStyles } from "@/browser/site-marks";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { Notice } from "@/components/ui/notice";
import { Textarea } from "@/components/ui/textarea";
import { toast } from "@/components/ui/toast";
import { showProblem } from "@/forms/show-problem";
import * as strings from "@/strings";
import { AccentShades } from "./accent-shades";
import { changesBetween, fieldOf, valuesOf, type LookValues } from "./look-values";

const words = strings.operator.look;

/** The name, the colour and the texts, which are saved together. */
export function LookForm({ settings }: { settings: Setting[] }) {
  const change = useChangeSettings();
  const { data: look } = useLook();
  const before = valuesOf(settings);
  const form = useForm<LookValues>({ values: before, resetOptions: { keepDirtyValues: true } });
  const { errors, isSubmitting, isDirty } = form.formState;

  const submit = form.handleSubmit(async (values) => {
    try {
      const saved = await change.mutateAsync(changesBetween(before, values));
      form.reset(valuesOf(saved.settings));
      reloadSiteStyles(!!look?.logo);
      toast(strings.operator.settings.saved);
    } catch (error) {
      showProblem(form, withFields(error));
    }
  });

  /** What a control and its label need. Settings that are set elsewhere are read-only. */
  const field = (name: keyof LookValues, label: string, hint?: string) => {
    const place = settings.find((setting) => name.startsWith(setting.name))?.place;
    return {
      frame: {
        label,
        hint: place ? strings.operator.settings.setIn(place) : hint,
        error: errors[name]?.message,
      },
      control: { ...form.register(name), readOnly: !!place, autoComplete: "off" },
    };
  };
  const line = (name: keyof LookValues, label: string, hint?: string, more?: object) => {
    const { frame, control } = field(name, label, hint);
    return <Field {...frame}>{(attributes) => <Input {...attributes} {...control} {...more} />}</Field>;
  };
  const text = (name: keyof LookValues, label: string, rows: number, hint?: string) => {
    const { frame, control } = field(name, label, hint);
    return (
      <Field {...frame}>{(attributes) => <Textarea {...attributes} {...control} rows={rows} />}</Field>
    );
  };
  const time = { type: "datetime-local" };

  return (
    <form noValidate onSubmit={submit} className="space-y-5">
      {errors.root?.server && <Notice tone="danger" alert>{errors.root.server.message}</Notice>}
      <div className="grid items-start gap-5 sm:grid-cols-2">
        {line("site_name", words.siteName, words.siteNameHint, { placeholder: strings.product })}
        <div>
          {line("accent_colour", words.accent, words.accentHint, {
            placeholder: "#047857",
            spellCheck: false,
          })}
          <AccentShades look={look} />
        </div>
      </div>
      {text("welcome_text", words.welcome, 4, words.textHint)}
      <fieldset className="space-y-5">
        <legend className="mb-3 font-medium">{words.announcement}</legend>
        {text("announcement_text", words.announcementText, 2, words.announcementHint)}
        <div className="grid items-start gap-5 sm:grid-cols-2">
          {line("announcement_from", words.from, words.fromHint, time)}
          {line("announcement_until", words.until, words.untilHint, time)}
        </div>
      </fieldset>
      <fieldset className="space-y-5">
        <legend className="mb-3 font-medium">{words.terms}</legend>
        {text("terms_text", words.termsText, 8, words.termsHint)}
        {line("terms_version", words.termsVersion, words.termsVersionHint)}
      </fieldset>
      <div className="flex flex-wrap items-center gap-3">
        <Button type="submit" pending={isSubmitting} aria-disabled={!isDirty || undefined}>
          {strings.actions.save}
        </Button>
        <p role="status" className="text-sm text-muted">
          {isDirty ? strings.operator.settings.unsaved : strings.operator.settings.allSaved}
        </p>
      </div>
    </form>
  );
}

/** Name the fields of this form in an error that names the portal's. */
function withFields(error: unknown): unknown {
  if (!(error instanceof ApiError)) return error;
  const fields = error.fields.map((field) => ({ ...field, pointer: fieldOf(field.pointer) }));
  return new ApiError(error.status, error.message, fields, error.response);
}
