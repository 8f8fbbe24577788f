import clsx from "clsx";
import type { ComponentProps, ReactNode } from "react";

type Column = {
  label: string;
  /** Right-align numbers. */
  figures?: boolean;
  /** Keep actions visible while the other columns scroll. */
  actions?: boolean;
};

type Props = { label: string; columns: Column[]; className?: string; children: ReactNode };

const inSight = "sticky right-0 bg-raised shadow-[inset_1px_0_var(--line)]";

/** A table that scrolls inside its own frame on narrow pages, also by keyboard. */
export function Table({ label, columns, className, children }: Props) {
  return (
    <div
      role="region"
      aria-label={label}
      tabIndex={0}
      className={clsx("overflow-auto rounded-xl border bg-raised", className)}
    >
      <table className="w-full text-sm whitespace-nowrap">
        <thead className="text-muted">
          <tr className="border-b">
            {columns.map((column) => (
              <th
                key={column.label}
                scope="col"
                className={clsx(
                  "px-4 py-2.5 font-medium",
                  column.figures ? "text-right" : "text-left",
                  column.actions && inSight,
                )}
              >
                {column.label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody className="divide-y">{children}</tbody>
      </table>
    </div>
  );
}

export function Cell({ className, ...props }: ComponentProps<"td">) {
  return <td {...props} className={clsx("px-4 py-2.5 text-left", className)} />;
}

/** The subject of a row. Wraps on phones to leave space for the actions. */
export function Name({ children }: { children: ReactNode }) {
  return (
    <Cell className="max-w-72 truncate font-medium max-sm:max-w-48 max-sm:min-w-40 max-sm:whitespace-normal">
      {children}
    </Cell>
  );
}

/**
 * Quiet buttons aligned with the column title by their text, not their frame. Always visible at
 * the right while the rest scrolls. Stacked on phones.
 */
export function Actions({ children }: { children?: ReactNode }) {
  return (
    <td className={clsx(inSight, "px-4 py-1")}>
      <div className="-mx-2.5 flex max-sm:flex-col max-sm:items-start">{children}</div>
    </td>
  );
}

export function Figure({ children }: { children: ReactNode }) {
  return (
    <td className="px-4 py-2.5 text-right tabular-nums">
      {typeof children === "number" ? children.toLocaleString("en") : children}
    </td>
  );
}
