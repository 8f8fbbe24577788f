import { Prose } from "./prose";

export type Row = { key: string; term: string; note?: string; text?: string };

/** A table of two columns that stack on narrow screens. */
export function Rows({ rows }: { rows: Row[] }) {
  return (
    <dl className="divide-y rounded-lg border bg-raised text-sm">
      {rows.map(({ key, term, note, text }) => (
        <div key={key} className="grid gap-x-6 gap-y-1 px-4 py-3 sm:grid-cols-[15rem_minmax(0,1fr)]">
          <dt className="font-mono text-[13px] leading-6 font-medium break-words">{term}</dt>
          <dd className="min-w-0 leading-6">
            {note && <p className="text-muted">{note}</p>}
            {text && (
              <p>
                <Prose text={text} />
              </p>
            )}
          </dd>
        </div>
      ))}
    </dl>
  );
}
