"use client";

import { formatDuration } from "@/time/duration";
import { formatInstant } from "@/time/local-time";
import { useNow } from "@/time/use-now";
import * as strings from "@/strings";

/** When an allowance comes back: how long until then, and the time on the reader's own clock. */
export function ResetClock({ at }: { at: string }) {
  const now = useNow();
  // The same height before and after: nothing below may jump.
  if (now === null) return <span className="invisible">{strings.keys.resets("", "")}</span>;
  return (
    <time dateTime={at} className="tabular-nums">
      {strings.keys.resets(formatDuration(Date.parse(at) - now), formatInstant(at, now))}
    </time>
  );
}
