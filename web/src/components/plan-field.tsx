import type { UseFormRegisterReturn } from "react-hook-form";
import { Field } from "@/components/ui/field";
import { Select } from "@/components/ui/select";
import * as strings from "@/strings";

type Props = {
  plans: { id: string; name: string }[];
  registration: UseFormRegisterReturn;
  error: string | undefined;
};

/** Choose the usage plan of a key. */
export function PlanField({ plans, registration, error }: Props) {
  return (
    <Field label={strings.keys.plan} error={error}>
      {(control) => (
        <Select {...control} {...registration}>
          {plans.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </Select>
      )}
    </Field>
  );
}
