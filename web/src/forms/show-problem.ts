import type { FieldValues, Path, UseFormReturn } from "react-hook-form";
import { ApiError, messageOf } from "@/api/problem";

/** Show the server's errors beside their fields, or for the form as a whole if no field matches. */
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
