import { CopyButton } from "@/components/ui/copy-button";
import * as strings from "@/strings";

type Props = {
  code: string;
  /** The text to copy, if it is more than what is shown. */
  copy?: string;
  copyLabel?: string;
  onCopied?: () => void;
};

export function CodeBlock({ code, copy = code, copyLabel = strings.actions.copy, onCopied }: Props) {
  return (
    <div className="relative">
      <pre
        tabIndex={0}
        className="overflow-x-auto p-4 pr-14 font-mono text-[13px] leading-6 -outline-offset-2"
      >
        <code>{code}</code>
      </pre>
      <div className="absolute top-2 right-2 rounded-lg bg-raised">
        <CopyButton compact variant="ghost" text={copy} label={copyLabel} onCopied={onCopied} />
      </div>
    </div>
  );
}
