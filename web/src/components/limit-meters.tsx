"use client";

import { resetOf } from "@/api/limits";
import { useEnforcedByAws } from "@/api/site";
import type { LimitUse } from "@/api/types";
import * as strings from "@/strings";
import { AllowanceMeter } from "./allowance-meter";
import { ResetClock } from "./reset-clock";

const words = strings.keys;

type Props = {
  limits: LimitUse[];
  subject: string;
  /** What remains, by the limit's subject. By default to the account's own person. */
  leftOf?: typeof words.leftOf;
};

/** Show what remains of each limit and when it resets. */
export function LimitMeters({ limits, subject, leftOf = words.leftOf }: Props) {
  const enforcedByAws = useEnforcedByAws();
  if (limits.length === 0) return <p className="text-sm text-muted">{words.noLimit}</p>;
  return (
    <ul className="space-y-4">
      {limits.map((limit) => (
        <li key={`${limit.subject} ${limit.measure} ${limit.window}`}>
          <AllowanceMeter
            title={leftOf[limit.subject](limit.measure, limit.remaining, limit.window)}
            subject={subject}
            allowance={limit}
          />
          <Reset limit={limit} at={resetOf(limit, enforcedByAws)} />
        </li>
      ))}
    </ul>
  );
}

function Reset({ limit, at }: { limit: LimitUse; at: string | null }) {
  if (at === null && limit.window !== "total") return null;
  return (
    <p className="mt-2 text-sm text-muted">
      {at === null ? words.neverResets : <ResetClock at={at} />}
    </p>
  );
}
