import type { FieldValues, Path, UseFormReturn } from "react-hook-form";
import { ApiError, messageOf } from "@/api/problem";

/** Puts the server's words beside the fields they are about, and what belongs to none at the form's head. */
export function showProblem<Values extends FieldValues>(
  form: Pick<UseFormReturn<Values>, "setError" | "getValues">,
  error: unknown,
): void {
  const known = Object.keys(form.getValues());
  const placed =
    error instanceof ApiError
      ? error.fields.filter(({ pointer }) => known.includes(fieldOf(pointer)))
      : [];
  placed.forEach(({ pointer, detail }, index) =>
    form.setError(
      fieldOf(pointer) as Path<Values>,
      { type: "server", message: detail },
      { shouldFocus: index === 0 },
    ),
  );
  if (placed.length === 0) {
    form.setError("root.server", { type: "server", message: messageOf(error) });
  }
}

function fieldOf(pointer: string): string {
  return pointer.replace(/^#?\//, "").replaceAll("/", ".");
}
