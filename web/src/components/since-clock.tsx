"use client";

import { formatInstant } from "@/time/local-time";
import { useNow } from "@/time/use-now";
import * as strings from "@/strings";

const justNow = 60_000;

export function SinceClock({ at }: { at: string }) {
  const now = useNow();
  if (now === null) return <span className="invisible">{strings.keys.lastUsed("")}</span>;
  const recent = now - Date.parse(at) < justNow;
  return (
    <time dateTime={at}>
      {recent ? strings.keys.lastUsedNow : strings.keys.lastUsed(formatInstant(at, now))}
    </time>
  );
}
