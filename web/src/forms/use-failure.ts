import { useState } from "react";
import type { FieldValues, UseFormReturn } from "react-hook-form";
import { retryTimeOf } from "@/api/retry-after";
import { showProblem } from "./show-problem";

/** Return the server's error for a form as a whole, and when to retry if throttled. */
export function useFailure<Values extends FieldValues>(form: UseFormReturn<Values>) {
  const [retryAt, setRetryAt] = useState<number | null>(null);
  return {
    message: form.formState.errors.root?.server?.message,
    retryAt,
    report(error: unknown) {
      setRetryAt(retryTimeOf(error));
      showProblem(form, error);
    },
  };
}
