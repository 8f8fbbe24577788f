import { useId } from "react";
import type { UseFormRegisterReturn } from "react-hook-form";
import type { UsagePlan } from "@/api/types";
import { limitsBesidesName } from "@/components/describe-limits";
import * as strings from "@/strings";

type Props = { plans: UsagePlan[]; field: UseFormRegisterReturn; error?: string };

/** Radio buttons styled as cards. Arrow keys move between them as usual. */
export function PlanChoice({ plans, field, error }: Props) {
  const noteId = useId();
  return (
    <fieldset aria-describedby={noteId}>
      <legend className="mb-1.5 text-sm font-medium">{strings.keys.plan}</legend>
      <div className="grid gap-3 sm:grid-cols-2 lg:grid-cols-3">
        {plans.map((plan) => (
          <label
            key={plan.id}
            className="relative flex cursor-pointer gap-3 rounded-lg border bg-raised p-4 transition-colors hover:border-line-strong has-checked:border-accent has-checked:bg-accent-soft has-focus-visible:outline-2 has-focus-visible:outline-offset-2 has-focus-visible:outline-accent"
          >
            <input
              {...field}
              type="radio"
              value={plan.id}
              className="mt-1 size-4 shrink-0 accent-accent outline-none"
            />
            <span className="min-w-0">
              <span className="block font-medium">{plan.name}</span>
              {[plan.description, limitsBesidesName(plan).join(", ")].filter(Boolean).map((line) => (
                <span key={line} className="mt-1 block text-sm text-muted">
                  {line}
                </span>
              ))}
            </span>
          </label>
        ))}
      </div>
      <p
        id={noteId}
        role={error ? "alert" : undefined}
        className={error ? "mt-1.5 text-sm text-danger" : "mt-1.5 text-sm text-muted"}
      >
        {error ?? strings.keys.planHint}
      </p>
    </fieldset>
  );
}
