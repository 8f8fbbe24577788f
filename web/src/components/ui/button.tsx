import clsx from "clsx";
import type { ComponentProps } from "react";
import { Spinner } from "./spinner";

const variants = {
  primary: "bg-ink text-on-ink hover:opacity-85",
  secondary: "border border-line bg-raised hover:border-line-strong",
  ghost: "text-muted hover:bg-surface hover:text-foreground",
  danger: "bg-danger-fill text-white hover:opacity-90 dark:bg-danger dark:text-black",
};

const sizes = {
  small: "h-8 gap-1.5 rounded-md px-2.5 text-sm",
  medium: "h-10 gap-2 rounded-lg px-4 text-sm",
  large: "h-12 gap-2 rounded-lg px-6 text-base",
  icon: "size-9 rounded-lg",
};

type Look = { variant?: keyof typeof variants; size?: keyof typeof sizes };

export function buttonStyles({ variant = "primary", size = "medium" }: Look = {}): string {
  return clsx(
    "inline-flex shrink-0 items-center justify-center font-medium whitespace-nowrap transition-[opacity,background-color,border-color,color]",
    "disabled:pointer-events-none disabled:opacity-50 aria-disabled:cursor-not-allowed aria-disabled:opacity-50",
    variants[variant],
    sizes[size],
  );
}

type Props = ComponentProps<"button"> & Look & { pending?: boolean };

export function Button({ variant, size, pending, className, children, ...props }: Props) {
  return (
    <button
      type="button"
      {...props}
      aria-disabled={pending || props["aria-disabled"]}
      aria-busy={pending || undefined}
      // Not `disabled`, which would take focus away from the pending button.
      onClick={pending ? (event) => event.preventDefault() : props.onClick}
      className={clsx(buttonStyles({ variant, size }), className)}
    >
      {pending && <Spinner />}
      {children}
    </button>
  );
}
