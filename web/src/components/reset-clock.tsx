"use client";

import { formatDuration } from "@/time/duration";
import { formatInstant } from "@/time/local-time";
import { useNow } from "@/time/use-now";
import * as strings from "@/strings";

/** Show when an allowance resets: the time left, and the local time. */
export function ResetClock({ at }: { at: string }) {
  const now = useNow();
  // Keep the same height before and after hydration to avoid layout shift.
  if (now === null) return <span className="invisible">{strings.keys.resets("", "")}</span>;
  return (
    <time dateTime={at} className="tabular-nums">
      {strings.keys.resets(formatDuration(Date.parse(at) - now), formatInstant(at, now))}
    </time>
  );
}
