import { Select } from "@/components/ui/select";

type Props<Value extends string> = {
  label: string;
  choices: Record<Value, string>;
  value: Value;
  onChange: (value: Value) => void;
};

/** Choose between views of the same data. */
export function Choice<Value extends string>({ label, choices, value, onChange }: Props<Value>) {
  return (
    <Select
      aria-label={label}
      value={value}
      onChange={(event) => onChange(event.target.value as Value)}
      className="w-36"
    >
      {Object.entries<string>(choices).map(([id, name]) => (
        <option key={id} value={id}>
          {name}
        </option>
      ))}
    </Select>
  );
}
