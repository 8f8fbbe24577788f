"use client";

import { useState } from "react";
import { useEnforcedByAws, useGatewayBaseUrl } from "@/api/site";
import { CodeBlock } from "@/components/code-block";
import { envFile, environmentSnippet } from "@/components/snippets/key-commands";
import { snippets } from "@/components/snippets/snippets";
import { CopyButton } from "@/components/ui/copy-button";
import { Tabs } from "@/components/ui/tabs";
import * as strings from "@/strings";
import type { Revealed } from "./key-reveal";
import { useSnippetModel } from "./use-snippet-model";

const words = strings.keys;

/** Masked on screen, complete when copied. */
export function KeySnippets({ revealed, onCopied }: { revealed: Revealed; onCopied: () => void }) {
  const [inline, setInline] = useState(true);
  const baseUrl = useGatewayBaseUrl() ?? "";
  const header = useEnforcedByAws();
  const model = useSnippetModel(revealed.usagePlanId);
  const write = (key: string) => [
    ...snippets({ baseUrl, model, key: inline ? key : null, header }),
    environmentSnippet({ baseUrl, key }),
  ];
  const whole = write(revealed.key);
  const shown = write(masked(revealed.key));

  return (
    <div className="border-t">
      <h3 className="px-5 pt-4 pb-1 text-sm font-medium sm:px-6">{words.run}</h3>
      <Tabs
        label={words.run}
        aside={
          <label className="flex items-center gap-2 px-3 py-2 text-sm text-muted">
            <input
              type="checkbox"
              role="switch"
              checked={inline}
              onChange={(event) => setInline(event.target.checked)}
              className="size-4 accent-accent"
            />
            {words.inline}
          </label>
        }
        tabs={shown.map(({ id, label, code }, index) => ({
          id,
          label,
          content: (
            <>
              <CodeBlock code={code} copy={whole[index]?.code} onCopied={onCopied} />
              {!inline && id !== "environment" && (
                <p className="px-4 pb-4 text-sm text-muted">{words.environmentHint}</p>
              )}
            </>
          ),
        }))}
      />
      <div className="px-4 pb-4">
        <CopyButton
          text={envFile({ baseUrl, key: revealed.key })}
          label={words.copyEnv}
          onCopied={onCopied}
        />
      </div>
    </div>
  );
}

function masked(key: string): string {
  return `${key.slice(0, 8)}…${key.slice(-4)}`;
}
