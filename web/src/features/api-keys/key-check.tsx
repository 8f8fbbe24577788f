"use client";

import { useMutation } from "@tanstack/react-query";
import { listModels, sendTest } from "@/api/gateway";
import { useModels } from "@/api/models";
import { GatewayError } from "@/api/refusal";
import { useEnforcedByAws, useGatewayBaseUrl } from "@/api/site";
import { useRefreshUsage } from "@/api/usage";
import { LazyMarkdown } from "@/components/markdown/lazy-markdown";
import { chooseModel } from "@/components/snippets/choose-model";
import { Button } from "@/components/ui/button";
import { Notice } from "@/components/ui/notice";
import * as strings from "@/strings";

const words = strings.keys;

/** Try the key from this page, as a program would use it. */
export function KeyCheck({ apiKey }: { apiKey: string }) {
  const baseUrl = useGatewayBaseUrl();
  const refreshUsage = useRefreshUsage();
  const enforcedByAws = useEnforcedByAws();
  const { data: models } = useModels();
  const model = chooseModel((models ?? []).map(({ id }) => id));
  const target = { baseUrl: baseUrl ?? "", key: apiKey };
  const verify = useMutation({ mutationFn: () => listModels(target), gcTime: 0 });
  const test = useMutation({
    mutationFn: () => sendTest(target, model, words.testPrompt),
    gcTime: 0,
    onSettled: refreshUsage,
  });
  const error = test.error ?? verify.error;
  const reachable = baseUrl?.startsWith(`${window.location.origin}/`);

  // The CSP allows calls to this site and API Gateway only. Other base URLs are for programs.
  if (!reachable && !enforcedByAws) return null;
  return (
    <div className="space-y-4">
      <div className="flex flex-wrap gap-2">
        {!enforcedByAws && (
          <Button variant="secondary" pending={verify.isPending} onClick={() => verify.mutate()}>
            {words.verify}
          </Button>
        )}
        <Button variant="secondary" pending={test.isPending} onClick={() => test.mutate()}>
          {words.test}
          <span className="font-normal text-muted">{words.testHint}</span>
        </Button>
      </div>
      <div role="status" className="space-y-3 text-sm empty:hidden">
        {verify.data && <p className="text-accent">{words.verified(verify.data.length)}</p>}
        {test.data && (
          <div className="rounded-lg border p-4">
            <div tabIndex={0} className="max-h-60 overflow-y-auto">
              <LazyMarkdown text={test.data.text} />
            </div>
            {test.data.remaining !== null && (
              <p className="mt-2 text-muted">{words.left("requests", test.data.remaining)}</p>
            )}
          </div>
        )}
      </div>
      {error && <Notice tone="danger" alert>{failureText(error, enforcedByAws)}</Notice>}
    </div>
  );
}

function failureText(error: Error, enforcedByAws: boolean): string {
  const failure = error instanceof GatewayError ? error.failure : null;
  if (failure?.kind === "network") return strings.errors.unreachable;
  if (failure?.kind === "upstream") {
    const { upstreamTitle, upstreamText, upstreamTextAws } = strings.chat;
    return `${upstreamTitle}. ${enforcedByAws ? upstreamTextAws : upstreamText}`;
  }
  return (failure && "message" in failure && failure.message) || strings.errors.unexpected;
}
