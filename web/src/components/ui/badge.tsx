import clsx from "clsx";
import type { ReactNode } from "react";

const tones = {
  plain: "bg-track/60 text-muted",
  good: "bg-accent-soft text-accent",
  warn: "bg-warn-soft text-warn",
  danger: "bg-danger-soft text-danger",
};

type Props = { tone?: keyof typeof tones; children: ReactNode };

export function Badge({ tone = "plain", children }: Props) {
  return (
    <span className={clsx("rounded-full px-2.5 py-1 text-xs font-medium whitespace-nowrap", tones[tone])}>
      {children}
    </span>
  );
}
