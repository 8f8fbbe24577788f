"use client";

import { useEnforcedByAws } from "@/api/site";
import * as strings from "@/strings";
import { Prose } from "./prose";

const words = strings.docs.gateway;

export function CountingRules() {
  const rules = useEnforcedByAws() ? words.countingAws : words.counting;
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
