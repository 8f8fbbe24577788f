import { CopyButton } from "@/components/ui/copy-button";

type Props = { text: string; label: string; copyLabel: string; url: string };

/** A link that is shown only once, with a button to copy it. */
export function OneTimeLink({ text, label, copyLabel, url }: Props) {
  return (
    <div className="space-y-3 rounded-xl border border-accent/50 bg-accent-soft p-5">
      <p className="text-sm">{text}</p>
      <div className="flex flex-wrap items-center gap-3 rounded-lg border bg-raised p-3">
        <code aria-label={label} className="min-w-0 flex-1 basis-64 font-mono text-sm break-all select-all">
          {url}
        </code>
        <CopyButton variant="primary" text={url} label={copyLabel} />
      </div>
    </div>
  );
}
