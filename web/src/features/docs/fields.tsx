import * as strings from "@/strings";
import type { Field } from "./openapi";
import { Rows } from "./rows";

/** The properties of a JSON document, or parameters. */
export function Fields({ fields, marksRequired }: { fields: Field[]; marksRequired?: boolean }) {
  return (
    <Rows
      rows={fields.map(({ name, type, required, text }) => ({
        key: name,
        term: name,
        note: marksRequired && required ? `${type}, ${strings.docs.schema.required}` : type,
        text,
      }))}
    />
  );
}
