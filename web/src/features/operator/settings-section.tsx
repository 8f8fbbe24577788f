import { useId, type ReactNode } from "react";

type Props = { title: string; text: string; children: ReactNode };

/** A group of settings with its heading beside it, or above it on narrow screens. */
export function SettingsSection({ title, text, children }: Props) {
  const id = useId();
  return (
    <section aria-labelledby={id} className="grid gap-x-10 gap-y-5 lg:grid-cols-[16rem_minmax(0,1fr)]">
      <div>
        <h2 id={id} className="text-lg font-semibold tracking-tight">
          {title}
        </h2>
        <p className="mt-1 text-sm leading-6 text-muted">{text}</p>
      </div>
      <div className="rounded-xl border bg-raised p-5">{children}</div>
    </section>
  );
}
