import type { ReactNode } from "react";
import { ByEnforcer } from "@/components/by-enforcer";
import { Prose } from "./prose";

type Part = {
  id: string;
  title: string;
  text?: string;
  /** Replaces `text` where AWS enforces. */
  textAws?: string;
  children?: ReactNode;
};

/** One of the two parts of the page. */
export function Part({ id, title, text, textAws, children }: Part) {
  return (
    <section aria-labelledby={id} className="mt-16 border-t pt-12 first-of-type:mt-0 first-of-type:border-0 first-of-type:pt-0">
      <h2 id={id} className="scroll-mt-20 text-xl font-semibold tracking-tight">
        {title}
      </h2>
      <Opening text={text} textAws={textAws} />
      {children}
    </section>
  );
}

export function Section({ id, title, text, textAws, children }: Part) {
  return (
    <section aria-labelledby={id} className="mt-10">
      <h3 id={id} className="scroll-mt-20 text-base font-semibold tracking-tight">
        {title}
      </h3>
      <Opening text={text} textAws={textAws} />
      {children && <div className="mt-4 space-y-4">{children}</div>}
    </section>
  );
}

function Opening({ text, textAws }: Pick<Part, "text" | "textAws">) {
  if (!text) return null;
  if (!textAws) return <Paragraph text={text} />;
  return <ByEnforcer embedded={<Paragraph text={text} />} aws={<Paragraph text={textAws} />} />;
}

export function Paragraph({ text }: { text: string }) {
  return (
    <p className="mt-2 max-w-3xl leading-7 text-pretty text-muted">
      <Prose text={text} />
    </p>
  );
}
