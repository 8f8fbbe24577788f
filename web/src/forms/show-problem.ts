import type { FieldValues, Path, UseFormReturn } from "react-hook-form";
import { ApiError, messageOf } from "@/api/problem";

/** Show the server's errors beside their fields, or for the form as a whole if no field matches. */
export function showProblem<Values extends FieldValues>(
  form: Pick<UseFormReturn<Values>, "setError" | "getValues">,
  error: unknown,
): void {
  const known = Object.keys(form.getValues());
  // An error in an item of a list belongs to the list's field.
  const fieldOf = (pointer: string) => {
    const path = pathOf(pointer);
    return known.find((name) => path === name || path.startsWith(`${name}.`));
  };
  const placed =
    error instanceof ApiError
      ? error.fields.filter(({ pointer }) => fieldOf(pointer) !== undefined)
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

function pathOf(pointer: string): string {
  return pointer.replace(/^#?\//, "").replaceAll("/", ".");
}
