import type { UseFormReturn } from "react-hook-form";
import type { Upstream } from "@/api/types";
import { Field } from "@/components/ui/field";
import { controlStyles, Input } from "@/components/ui/input";
import { Select } from "@/components/ui/select";
import * as strings from "@/strings";
import { auths, type UpstreamValues } from "./upstream-values";

const words = strings.upstreams;
const advanced = ["auth", "models", "aliases", "weight", "priority", "measure_streams"] as const;

type Props = { form: UseFormReturn<UpstreamValues>; upstream?: Upstream };

/** The parts of an upstream that most sites leave as they are. */
export function UpstreamAdvanced({ form, upstream }: Props) {
  const { errors } = form.formState;
  const isWrong = advanced.some((name) => errors[name]);
  return (
    <details open={isWrong || undefined} className="rounded-lg border px-4">
      <summary className="-mx-4 rounded-lg px-4 py-2.5 text-sm font-medium">{words.advanced}</summary>
      <div className="grid gap-4 pt-1 pb-4 sm:grid-cols-2">
        <Field label={words.auth} error={errors.auth?.message}>
          {(control) => (
            <Select {...control} {...form.register("auth")}>
              {auths.map((auth) => (
                <option key={auth} value={auth}>
                  {words.auths[auth]}
                </option>
              ))}
            </Select>
          )}
        </Field>
        <Field label={words.measureStreams} hint={words.measureStreamsHint}>
          {(control) => (
            <Select {...control} {...form.register("measure_streams")}>
              <option value="default">
                {upstream ? words.measuredAsNow(upstream.measure_streams) : words.measuredByDefault}
              </option>
              {Object.entries(words.measured).map(([id, label]) => (
                <option key={id} value={id}>
                  {label}
                </option>
              ))}
            </Select>
          )}
        </Field>
        <Field className="sm:col-span-2" label={words.models} hint={words.modelsHint} error={errors.models?.message}>
          {(control) => <Input {...control} {...form.register("models")} autoComplete="off" spellCheck={false} />}
        </Field>
        <Field className="sm:col-span-2" label={words.aliases} hint={words.aliasesHint} error={errors.aliases?.message}>
          {(control) => (
            <textarea
              {...control}
              {...form.register("aliases")}
              rows={2}
              spellCheck={false}
              className={`${controlStyles} block py-2 font-mono`}
            />
          )}
        </Field>
        <Field label={words.priority} hint={words.priorityHint} error={errors.priority?.message}>
          {(control) => <Input {...control} {...form.register("priority")} inputMode="numeric" autoComplete="off" />}
        </Field>
        <Field label={words.weight} hint={words.weightHint} error={errors.weight?.message}>
          {(control) => <Input {...control} {...form.register("weight")} inputMode="numeric" autoComplete="off" />}
        </Field>
        <Field className="sm:col-span-2" label={words.testModel} hint={words.testModelHint}>
          {(control) => <Input {...control} {...form.register("test_model")} autoComplete="off" spellCheck={false} />}
        </Field>
      </div>
    </details>
  );
}
