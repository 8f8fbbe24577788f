"use client";

import { Check } from "lucide-react";
import Link from "next/link";
import { useLikelySession } from "@/api/session";
import type { UsagePlan } from "@/api/types";
import { useUsagePlans } from "@/api/usage-plans";
import { limitsBesidesName } from "@/components/describe-limits";
import { NotEnforced } from "@/components/not-enforced";
import { LoadFailed } from "@/components/load-failed";
import { buttonStyles } from "@/components/ui/button";
import { Empty } from "@/components/ui/empty";
import { Skeleton } from "@/components/ui/skeleton";
import * as strings from "@/strings";

const words = strings.plans;

export default function PlanCards() {
  const { data, error, isFetching, refetch } = useUsagePlans();
  const account = useLikelySession();

  if (error && !data) {
    return <LoadFailed error={error} retrying={isFetching} onRetry={() => void refetch()} />;
  }
  const open = data?.filter((plan) => plan.self_service);
  if (open?.length === 0) return <Empty>{words.empty}</Empty>;
  return (
    <ul className="grid gap-4 sm:grid-cols-2 lg:grid-cols-3">
      {open
        ? open.map((plan) => <PlanCard key={plan.id} plan={plan} signedIn={Boolean(account)} />)
        : [1, 2, 3].map((place) => (
            <li key={place}>
              <Skeleton className="h-56 w-full rounded-xl" />
            </li>
          ))}
    </ul>
  );
}

function PlanCard({ plan, signedIn }: { plan: UsagePlan; signedIn: boolean }) {
  const chosen = `/keys/?plan=${encodeURIComponent(plan.id)}`;
  const href = signedIn ? chosen : `/sign-up/?next=${encodeURIComponent(chosen)}`;
  const lines = [
    ...limitsBesidesName(plan),
    plan.models.length > 0 ? plan.models.join(", ") : words.allModels,
    words.everyWay,
  ];
  return (
    <li className="flex min-h-56 flex-col rounded-xl border bg-raised p-6">
      <PlanName name={plan.name} />
      {plan.description && <p className="mt-1 text-sm text-muted">{plan.description}</p>}
      <ul className="mt-4 mb-6 space-y-2 text-sm">
        {lines.map((line) => (
          <li key={line} className="flex gap-2">
            <Check aria-hidden className="mt-0.5 size-4 shrink-0 text-accent" />
            <span className="min-w-0">{line}</span>
          </li>
        ))}
      </ul>
      <NotEnforced options={plan.not_enforced} className="mb-6" />
      <Link
        href={href}
        aria-label={`${words.choose}: ${plan.name}`}
        className={`${buttonStyles({ variant: "secondary" })} mt-auto`}
      >
        {words.choose}
      </Link>
    </li>
  );
}

/** Emphasise a leading number in the name, because people compare plans by it. */
function PlanName({ name }: { name: string }) {
  const [, amount, rest] = /^(\d[\d.,]*) (.+)$/.exec(name) ?? [];
  return (
    <h3 className="font-semibold tracking-tight">
      {amount && <span className="text-4xl tabular-nums">{amount} </span>}
      <span className={amount ? undefined : "text-lg"}>{rest ?? name}</span>
    </h3>
  );
}
