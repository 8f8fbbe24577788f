import type { Checklist } from "./types";

export type ChecklistStep = Checklist["steps"][number]["step"];

export const checklistSteps = ["upstream", "plans", "name", "share"] as const satisfies readonly ChecklistStep[];

export function doneIn({ steps }: Checklist): number {
  return steps.filter(({ done }) => done).length;
}
