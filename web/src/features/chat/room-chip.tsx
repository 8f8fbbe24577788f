import clsx from "clsx";
import type { LimitUse } from "@/api/types";
import * as strings from "@/strings";

const scarce = 0.2;

type Props = Pick<LimitUse, "measure" | "limit" | "remaining" | "window"> & {
  /** Whether to name the measure, where there are chips of several. */
  named: boolean;
};

export function RoomChip({ measure, limit, remaining, window, named }: Props) {
  return (
    <span
      title={strings.chat.leftLong(measure, remaining, limit, window)}
      className={clsx(
        "rounded-full px-2.5 py-1 text-xs font-medium tabular-nums",
        remaining === 0 && "bg-danger-soft text-danger",
        remaining > 0 && remaining <= limit * scarce && "bg-warn-soft text-warn",
        remaining > limit * scarce && "bg-track/60 text-muted",
      )}
    >
      {named ? strings.keys.left(measure, remaining, window) : strings.chat.left(measure, remaining, window)}
    </span>
  );
}
