import { Plus, X } from "lucide-react";
import { useId, useRef } from "react";
import { useFieldArray, type UseFormReturn } from "react-hook-form";
import { measures } from "@/api/limits";
import { Button } from "@/components/ui/button";
import { IconButton } from "@/components/ui/icon-button";
import { Input } from "@/components/ui/input";
import { Select } from "@/components/ui/select";
import * as strings from "@/strings";
import { newRow, windows, type PlanValues } from "./plan-values";

const words = strings.operator.plans;

/** Edit limits as rows of amount, measure and window. */
export function LimitRows({ form }: { form: UseFormReturn<PlanValues> }) {
  const { fields, append, remove } = useFieldArray({ control: form.control, name: "limits" });
  const addButton = useRef<HTMLButtonElement>(null);

  function removeRow(index: number) {
    remove(index);
    // The button that had the focus no longer exists.
    addButton.current?.focus();
  }

  return (
    <>
      <div className="space-y-3">
        {fields.map(({ id }, index) => (
          <LimitRow key={id} form={form} index={index} onRemove={() => removeRow(index)} />
        ))}
      </div>
      <Button
        ref={addButton}
        variant="secondary"
        size="small"
        className="mt-3"
        onClick={() => append(newRow(form.getValues("limits")), { focusIndex: fields.length })}
      >
        <Plus aria-hidden className="size-4" />
        {words.addLimit}
      </Button>
    </>
  );
}

type Props = { form: UseFormReturn<PlanValues>; index: number; onRemove: () => void };

function LimitRow({ form: { register, formState }, index, onRemove }: Props) {
  const noteId = useId();
  const problem = formState.errors.limits?.[index]?.amount?.message;
  return (
    <div role="group" aria-label={words.limit(index + 1)}>
      <div className="grid grid-cols-2 items-center gap-2 sm:grid-cols-[minmax(0,1fr)_minmax(0,1fr)_minmax(0,1fr)_auto]">
        <Input
          {...register(`limits.${index}.amount`)}
          aria-label={words.amount}
          aria-invalid={problem ? true : undefined}
          aria-describedby={problem && noteId}
          inputMode="decimal"
          autoComplete="off"
          className="max-sm:col-span-2 max-sm:col-start-1 max-sm:row-start-1 max-sm:pr-11"
        />
        <Select {...register(`limits.${index}.measure`)} aria-label={words.measure}>
          {measures.map((measure) => (
            <option key={measure} value={measure}>
              {words.measures[measure]}
            </option>
          ))}
        </Select>
        <Select {...register(`limits.${index}.window`)} aria-label={words.window}>
          {windows.map((window) => (
            <option key={window} value={window}>
              {strings.windows[window]}
            </option>
          ))}
        </Select>
        {/* On a phone it is drawn at the end of the first line. It stays last in tab order. */}
        <div className="max-sm:col-start-2 max-sm:row-start-1 max-sm:justify-self-end max-sm:pr-0.5">
          <IconButton icon={X} label={words.removeLimit(index + 1)} onClick={onRemove} />
        </div>
      </div>
      {problem && (
        <p id={noteId} role="alert" className="mt-1.5 text-sm text-danger">
          {problem}
        </p>
      )}
    </div>
  );
}
