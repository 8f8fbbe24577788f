"use client";

import { CircleCheck } from "lucide-react";
import { useTestUpstream } from "@/api/operator";
import { messageOf } from "@/api/problem";
import type { UpstreamTest, UpstreamTestResult } from "@/api/types";
import { Button } from "@/components/ui/button";
import { Notice } from "@/components/ui/notice";
import * as strings from "@/strings";

const words = strings.upstreams;

type Props = {
  /** What to test, or undefined if the form has errors. */
  onTest: () => Promise<UpstreamTest | undefined>;
};

/** Make a real call to an upstream, and explain what failed. */
export function UpstreamTester({ onTest }: Props) {
  const test = useTestUpstream();

  async function run() {
    test.reset();
    const tested = await onTest();
    if (tested) test.mutate(tested);
  }

  return (
    <div className="space-y-3">
      <Button variant="secondary" size="small" pending={test.isPending} onClick={() => void run()}>
        {words.test}
      </Button>
      {test.isError && (
        <Notice tone="danger" alert>
          {messageOf(test.error)}
        </Notice>
      )}
      {test.data && <Outcome outcome={test.data} />}
    </div>
  );
}

function Outcome({ outcome: { ok, problem, models, model_tried, latency_ms } }: { outcome: UpstreamTestResult }) {
  if (!ok) {
    return (
      <Notice tone="danger" alert title={problem?.what ?? words.testFailed}>
        {problem?.advice}
      </Notice>
    );
  }
  return (
    <div role="status" className="flex gap-2.5 rounded-lg border border-accent/50 bg-accent-soft p-4 text-sm leading-6">
      <CircleCheck aria-hidden className="mt-1 size-4 shrink-0 text-accent" />
      <p>
        <strong className="font-medium">{words.testPassed}</strong>{" "}
        {words.testText(model_tried, latency_ms, models.length)}
      </p>
    </div>
  );
}
