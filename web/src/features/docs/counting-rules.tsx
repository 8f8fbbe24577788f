import { ByEnforcer } from "@/components/by-enforcer";
import * as strings from "@/strings";
import { Prose } from "./prose";

const words = strings.docs.gateway;

export function CountingRules() {
  return (
    <ByEnforcer
      embedded={<Rules rules={words.counting} />}
      aws={<Rules rules={words.countingAws} />}
    />
  );
}

function Rules({ rules }: { rules: string[] }) {
  return (
    <ul className="max-w-3xl list-disc space-y-2 pl-5 leading-7 text-muted">
      {rules.map((rule) => (
        <li key={rule}>
          <Prose text={rule} />
        </li>
      ))}
    </ul>
  );
}
