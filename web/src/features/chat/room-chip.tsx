import clsx from "clsx";
import { strings } from "@/strings";

const scarce = 0.2;

export function RoomChip({ limit, remaining }: { limit: number; remaining: number }) {
  return (
    <span
      title={strings.chat.leftLong(remaining, limit)}
      className={clsx(
        "rounded-full px-2.5 py-1 text-xs font-medium tabular-nums",
        remaining === 0 && "bg-danger-soft text-danger",
        remaining > 0 && remaining <= limit * scarce && "bg-warn-soft text-warn",
        remaining > limit * scarce && "bg-track/60 text-muted",
      )}
    >
      {strings.chat.left(remaining)}
    </span>
  );
}
