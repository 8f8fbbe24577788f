"use client";

import clsx from "clsx";
import { Check } from "lucide-react";
import type { ReactNode } from "react";
import { useChangeSettings, useChecklist } from "@/api/operator";
import { checklistSteps, doneIn, type ChecklistStep } from "@/api/checklist";
import { messageOf } from "@/api/problem";
import { Button } from "@/components/ui/button";
import { Notice } from "@/components/ui/notice";
import { toast } from "@/components/ui/toast";
import * as strings from "@/strings";
import { NameStep, PlansStep, ShareStep, UpstreamStep } from "./checklist-steps";

const words = strings.checklist;

const bodies: Record<ChecklistStep, (props: { onConfirm: () => void }) => ReactNode> = {
  upstream: UpstreamStep,
  plans: PlansStep,
  name: NameStep,
  share: ShareStep,
};

/** What a new site still needs. Vanishes when every step is done, or when it is hidden. */
export function Checklist() {
  const { data } = useChecklist();
  const change = useChangeSettings();
  if (!data || data.steps.every(({ done }) => done)) return null;

  const confirm = (steps: readonly ChecklistStep[]) =>
    change.mutateAsync({ checklist_done: [...new Set([...data.confirmed, ...steps])] });

  async function dismiss() {
    await confirm(checklistSteps);
    toast(words.dismissed);
  }

  const next = data.steps.find(({ done }) => !done)?.step;
  return (
    <section aria-labelledby="checklist" className="scroll-mt-32 rounded-xl border bg-raised p-5 sm:p-6">
      <div className="flex flex-wrap items-start justify-between gap-x-6 gap-y-2">
        <div>
          <h2 id="checklist" className="text-lg font-semibold tracking-tight">
            {words.title}
          </h2>
          <p className="mt-1 text-sm text-muted">
            {words.text} {words.progress(doneIn(data), data.steps.length)}.
          </p>
        </div>
        <Button
          variant="ghost"
          size="small"
          className="-mx-2.5"
          pending={change.isPending}
          onClick={() => void dismiss().catch(() => undefined)}
        >
          {words.dismiss}
        </Button>
      </div>
      {change.isError && (
        <div className="mt-4">
          <Notice tone="danger" alert>
            {messageOf(change.error)}
          </Notice>
        </div>
      )}
      <ol className="mt-5 space-y-5">
        {data.steps.map(({ step, done }, index) => {
          const Body = bodies[step];
          return (
            <li key={step} className="flex gap-3">
              <span
                aria-hidden
                className={clsx(
                  "mt-px grid size-6 shrink-0 place-items-center rounded-full border text-xs font-medium tabular-nums",
                  done && "border-transparent bg-accent-soft text-accent",
                  !done && step === next && "border-foreground",
                )}
              >
                {done ? <Check className="size-3.5" /> : index + 1}
              </span>
              <div className="min-w-0 flex-1">
                <h3 className={clsx("font-medium", done && "text-muted")}>
                  {words.steps[step].title}
                  {done && <span className="sr-only">: {words.done}</span>}
                </h3>
                {!done && <Body onConfirm={() => void confirm([step]).catch(() => undefined)} />}
              </div>
            </li>
          );
        })}
      </ol>
    </section>
  );
}
