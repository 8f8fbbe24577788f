"use client";

import Link from "next/link";
import { useEnforcedByAws } from "@/api/site";
import type { ApiKey } from "@/api/types";
import { CodeBlock } from "@/components/code-block";
import { envFile, environmentSnippet } from "@/components/snippets/key-commands";
import { exampleKey, snippets } from "@/components/snippets/snippets";
import { useExampleBaseUrl } from "@/components/snippets/use-example-base-url";
import { Button } from "@/components/ui/button";
import { CopyButton } from "@/components/ui/copy-button";
import { Dialog } from "@/components/ui/dialog";
import { Tabs } from "@/components/ui/tabs";
import * as strings from "@/strings";
import { useSnippetModel } from "./use-snippet-model";

const words = strings.keys;

type Props = { apiKey: ApiKey; onClose: () => void };

/** Show how to use a key, without its secret, which is no longer available. */
export function ConnectDialog({ apiKey, onClose }: Props) {
  const { name, prefix, last4, usage_plan_id } = apiKey;
  const baseUrl = useExampleBaseUrl();
  const header = useEnforcedByAws();
  const model = useSnippetModel(usage_plan_id);
  const target = { baseUrl, key: exampleKey };
  const shown = [
    environmentSnippet(target),
    ...snippets({ baseUrl, model, key: null, header }),
  ];
  return (
    <Dialog
      wide
      onClose={onClose}
      title={words.connectTitle(name)}
      description={words.connectText(`${prefix}…${last4}`)}
    >
      <h3 className="mb-1.5 text-sm font-medium">{words.baseUrl}</h3>
      <div className="flex flex-wrap items-center gap-3 rounded-lg border p-3">
        <code className="min-w-0 flex-1 basis-48 font-mono text-sm break-all select-all">{baseUrl}</code>
        <CopyButton text={baseUrl} label={words.copyBaseUrl} />
      </div>
      <div className="mt-5 overflow-hidden rounded-lg border">
        <Tabs
          label={strings.snippets.label}
          tabs={shown.map(({ id, label, code }) => ({
            id,
            label,
            content: (
              <>
                <CodeBlock code={code} />
                <p className="px-4 pb-4 text-sm text-muted">
                  {id === "environment" ? words.exampleKeyHint(exampleKey) : words.environmentHint}
                </p>
              </>
            ),
          }))}
        />
      </div>
      <div className="mt-5 flex flex-wrap items-center gap-x-4 gap-y-3">
        <CopyButton text={envFile(target)} label={words.copyEnv} />
        <Link
          href="/docs/"
          prefetch={false}
          className="rounded-sm text-sm font-medium underline underline-offset-4"
        >
          {words.reference}
        </Link>
        <Button variant="secondary" size="small" className="ml-auto" onClick={onClose}>
          {strings.actions.close}
        </Button>
      </div>
    </Dialog>
  );
}
