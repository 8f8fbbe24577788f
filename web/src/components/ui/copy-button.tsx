"use client";

import clsx from "clsx";
import { Check, Copy } from "lucide-react";
import { useEffect, useState } from "react";
import { copyText } from "@/browser/clipboard";
import * as strings from "@/strings";
import { Button } from "./button";

type Props = {
  text: string;
  label: string;
  variant?: "primary" | "secondary" | "ghost";
  /** Show only the icon. The label is then for screen readers. */
  compact?: boolean;
  onCopied?: () => void;
};

export function CopyButton({ text, label, variant = "secondary", compact, onCopied }: Props) {
  const [result, setResult] = useState<"copied" | "failed">();

  useEffect(() => {
    if (!result) return;
    const timer = setTimeout(() => setResult(undefined), 2000);
    return () => clearTimeout(timer);
  }, [result]);

  async function copy() {
    const copied = await copyText(text);
    setResult(copied ? "copied" : "failed");
    if (copied) onCopied?.();
  }

  const { copied, copyFailed } = strings.actions;
  const outcome = result && (result === "copied" ? copied : copyFailed);
  return (
    <>
      <Button
        variant={variant}
        size={compact ? "icon" : "small"}
        aria-label={compact ? label : undefined}
        title={compact ? label : undefined}
        onClick={copy}
      >
        {result === "copied" ? (
          <Check aria-hidden className={clsx("size-4", variant !== "primary" && "text-accent")} />
        ) : (
          <Copy aria-hidden className="size-4" />
        )}
        {!compact && (outcome ?? label)}
      </Button>
      <span role="status" className="sr-only">
        {outcome}
      </span>
    </>
  );
}
