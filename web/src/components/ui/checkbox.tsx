import clsx from "clsx";
import type { ComponentProps } from "react";

type Props = Omit<ComponentProps<"input">, "type"> & {
  /** Some, but not all, of what the box stands for is selected. */
  indeterminate?: boolean;
};

export function Checkbox({ indeterminate = false, className, ...props }: Props) {
  return (
    <input
      {...props}
      type="checkbox"
      ref={(box) => {
        if (box) box.indeterminate = indeterminate;
      }}
      className={clsx("size-4 accent-accent", className)}
    />
  );
}
