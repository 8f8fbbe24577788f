import type { ReactNode } from "react";
import type { Allowance, Measure } from "@/api/types";
import * as strings from "@/strings";
import { Meter } from "./ui/meter";

const words = strings.keys;

type Props = {
  title: ReactNode;
  subject: string;
  allowance: Pick<Allowance, "used" | "limit" | "window"> & { measure?: Measure };
};

/** Show the usage of an allowance as text and as a meter. Without a limit there is no meter. */
export function AllowanceMeter({ title, subject, allowance }: Props) {
  const { used, limit, window, measure = "requests" } = allowance;
  return (
    <>
      <div className="mb-2 flex flex-wrap items-baseline justify-between gap-x-4 text-sm tabular-nums">
        <span className="min-w-0 font-medium">{title}</span>
        <span className="text-muted">
          {limit === null ? words.usedUnlimited(used) : words.ofLimit(measure, used, limit)}
        </span>
      </div>
      {limit !== null && (
        <Meter used={used} limit={limit} label={`${subject}: ${words.used(measure, used, limit, window)}`} />
      )}
    </>
  );
}
