import clsx from "clsx";
import { CircleAlert, Info, TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";

const tones = {
  info: { box: "border-line bg-surface", icon: Info, mark: "text-muted" },
  warn: { box: "border-warn-fill/40 bg-warn-soft", icon: TriangleAlert, mark: "text-warn" },
  danger: { box: "border-danger-fill/40 bg-danger-soft", icon: CircleAlert, mark: "text-danger" },
};

type Props = {
  tone?: keyof typeof tones;
  title?: string;
  /** For new events only. Content present from the start must not be announced as an alert. */
  alert?: boolean;
  /** Content that keeps changing, such as a countdown. Kept outside the announced region. */
  running?: ReactNode;
  action?: ReactNode;
  children?: ReactNode;
};

export function Notice({ tone = "info", title, alert, running, action, children }: Props) {
  const { box, icon: Icon, mark } = tones[tone];
  return (
    <div className={clsx("flex gap-3 rounded-lg border p-4 text-sm leading-6", box)}>
      <Icon aria-hidden className={clsx("mt-1 size-4 shrink-0", mark)} />
      <div className="min-w-0 flex-1">
        <div role={alert ? "alert" : undefined}>
          {title && <p className="font-medium">{title}</p>}
          {children && <div className={clsx(title && "text-muted")}>{children}</div>}
        </div>
        {running && <p className="text-muted tabular-nums">{running}</p>}
        {action && <div className="mt-3 flex flex-wrap gap-2">{action}</div>}
      </div>
    </div>
  );
}
