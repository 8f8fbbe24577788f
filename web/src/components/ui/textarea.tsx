import clsx from "clsx";
import type { ComponentProps } from "react";
import { controlStyles } from "./input";

export function Textarea({ className, ...props }: ComponentProps<"textarea">) {
  return <textarea {...props} className={clsx(controlStyles, "block py-2 leading-6", className)} />;
}
