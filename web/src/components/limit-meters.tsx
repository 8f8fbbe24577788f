"use client";

import { isResetKnown } from "@/api/limits";
import { useEnforcedByAws } from "@/api/site";
import type { LimitUse } from "@/api/types";
import * as strings from "@/strings";
import { AllowanceMeter } from "./allowance-meter";
import { ResetClock } from "./reset-clock";

const words = strings.keys;

type Props = { limits: LimitUse[]; subject: string };

/** Show what remains of each limit and when it resets. */
export function LimitMeters({ limits, subject }: Props) {
  const enforcedByAws = useEnforcedByAws();
  if (limits.length === 0) return <p className="text-sm text-muted">{words.noLimit}</p>;
  return (
    <ul className="space-y-4">
      {limits.map((limit) => (
        <li key={`${limit.subject} ${limit.window}`}>
          <AllowanceMeter
            title={words.leftOf[limit.subject](limit.remaining, limit.window)}
            subject={subject}
            allowance={limit}
          />
          {isResetKnown(limit, enforcedByAws) && (
            <p className="mt-2 text-sm text-muted">
              <ResetClock at={limit.resets_at} />
            </p>
          )}
        </li>
      ))}
    </ul>
  );
}
