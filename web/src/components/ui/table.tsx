import clsx from "clsx";
import { ArrowDown, ArrowUp } from "lucide-react";
import type { ComponentProps, ReactNode } from "react";

type Column = {
  label: string;
  /** Right-align numbers. */
  figures?: boolean;
  /** Keep actions visible while the other columns scroll. */
  actions?: boolean;
  /** The name by which rows can be sorted by this column. */
  sort?: string;
};

type Order = "asc" | "desc";

type Props = {
  label: string;
  columns: Column[];
  sorting?: { by: string; order: Order; onSort: (by: never) => void };
  /** A checkbox that selects every row. Each row then begins with a `Selector`. */
  selectAll?: ReactNode;
  className?: string;
  children: ReactNode;
};

const inSight = "sticky right-0 bg-raised shadow-[inset_1px_0_var(--line)]";
const ariaSort = { asc: "ascending", desc: "descending" } as const;

/** A table that scrolls inside its own frame on narrow pages, also by keyboard. */
export function Table({ label, columns, sorting, selectAll, className, children }: Props) {
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
            {selectAll && <td className={selectorStyles}>{selectAll}</td>}
            {columns.map((column) => {
              const order = sorting && column.sort === sorting.by ? sorting.order : undefined;
              return (
                <th
                  key={column.label}
                  scope="col"
                  aria-sort={order && ariaSort[order]}
                  className={clsx(
                    "px-4 py-2.5 font-medium",
                    column.figures ? "text-right" : "text-left",
                    column.actions && inSight,
                  )}
                >
                  {sorting && column.sort ? (
                    <SortButton
                      label={column.label}
                      order={order}
                      mirrored={column.figures}
                      onClick={() => sorting.onSort(column.sort as never)}
                    />
                  ) : (
                    column.label
                  )}
                </th>
              );
            })}
          </tr>
        </thead>
        <tbody className="divide-y">{children}</tbody>
      </table>
    </div>
  );
}

type SortProps = { label: string; order?: Order; mirrored?: boolean; onClick: () => void };

/** The title of a sortable column. The arrow's place is always taken, so that nothing moves. */
function SortButton({ label, order, mirrored, onClick }: SortProps) {
  const Arrow = order === "asc" ? ArrowUp : ArrowDown;
  return (
    <button
      type="button"
      onClick={onClick}
      className={clsx(
        "group -my-1 inline-flex align-middle items-center gap-1 rounded-sm py-1 hover:text-foreground",
        mirrored && "-ml-4.5 flex-row-reverse",
        order && "text-foreground",
      )}
    >
      {label}
      <Arrow
        aria-hidden
        className={clsx(
          "size-3.5",
          !order && "opacity-0 group-hover:opacity-60 group-focus-visible:opacity-60",
        )}
      />
    </button>
  );
}

const selectorStyles = "w-0 py-2.5 pr-0 pl-4 align-middle max-sm:pl-3 [&_input]:block";

/** The first cell of a row that can be selected. */
export function Selector({ children }: { children: ReactNode }) {
  return <td className={selectorStyles}>{children}</td>;
}

export function Cell({ className, ...props }: ComponentProps<"td">) {
  return <td {...props} className={clsx("px-4 py-2.5 text-left", className)} />;
}

/** The subject of a row. Wraps on phones to leave space for the actions. */
export function Name({ children }: { children: ReactNode }) {
  return (
    <Cell className="max-w-72 truncate font-medium max-sm:max-w-44 max-sm:min-w-36 max-sm:px-3 max-sm:whitespace-normal">
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
