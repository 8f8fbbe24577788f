import clsx from "clsx";
import { ChevronDown } from "lucide-react";
import type { ComponentProps } from "react";
import { controlStyles } from "./input";

/** The native select: it works well on every phone and loads no code. */
export function Select({ className, ...props }: ComponentProps<"select">) {
  return (
    <span className={clsx("relative block min-w-0", className)}>
      <select {...props} className={clsx(controlStyles, "h-10 appearance-none truncate pr-9")} />
      <ChevronDown
        aria-hidden
        className="pointer-events-none absolute top-1/2 right-3 size-4 -translate-y-1/2 text-muted"
      />
    </span>
  );
}
