import type { ReactNode } from "react";

type Props = { title: string; text?: string; children?: ReactNode };

export function PageHeading({ title, text, children }: Props) {
  return (
    <div className="mb-8 flex flex-wrap items-start justify-between gap-4">
      <div className="max-w-2xl">
        <h1 className="text-2xl font-semibold tracking-tight">{title}</h1>
        {text && <p className="mt-2 leading-7 text-pretty text-muted">{text}</p>}
      </div>
      {children}
    </div>
  );
}
