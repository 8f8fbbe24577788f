import clsx from "clsx";
import type { ComponentProps } from "react";

// 16 px on phones: iOS zooms into smaller fields.
export const controlStyles =
  "w-full rounded-lg border border-line-strong/60 bg-raised px-3 text-base sm:text-sm placeholder:text-muted hover:border-line-strong aria-invalid:border-danger";

export function Input({ className, ...props }: ComponentProps<"input">) {
  return <input {...props} className={clsx(controlStyles, "h-10", className)} />;
}
