"use client";

import { Plus } from "lucide-react";
import { useState } from "react";
import { useApiKeys } from "@/api/api-keys";
import { holdKey } from "@/api/held-keys";
import { useSession } from "@/api/session";
import { useSite } from "@/api/site";
import type { ApiKey, Site, UsagePlan } from "@/api/types";
import { useUsagePlans } from "@/api/usage-plans";
import { LoadFailed } from "@/components/load-failed";
import { PageHeading } from "@/components/page-heading";
import { Button } from "@/components/ui/button";
import { Notice } from "@/components/ui/notice";
import { Skeleton } from "@/components/ui/skeleton";
import { Unconfirmed } from "@/features/session/unconfirmed";
import * as strings from "@/strings";
import { CreateKeyForm } from "./create-key-form";
import { KeyList } from "./key-list";
import { KeyReveal, type Revealed } from "./key-reveal";

const words = strings.keys;

export function KeysPage() {
  const keys = useApiKeys();
  const plans = useUsagePlans();
  const site = useSite();
  const failed = [keys, plans, site].find((query) => query.isError && !query.data);

  return (
    <div className="mx-auto w-full max-w-5xl px-4 py-10 sm:px-6">
      {keys.data && plans.data && site.data ? (
        <Keys keys={keys.data} plans={plans.data} site={site.data} />
      ) : (
        <>
          <PageHeading title={words.title} />
          {failed ? (
            <LoadFailed
              error={failed.error}
              retrying={failed.isFetching}
              onRetry={() => void failed.refetch()}
            />
          ) : (
            <KeysSkeleton />
          )}
        </>
      )}
    </div>
  );
}

function Keys({ keys, plans, site }: { keys: ApiKey[]; plans: UsagePlan[]; site: Site }) {
  const [revealed, setRevealed] = useState<Revealed>();
  const [creating, setCreating] = useState(false);
  const { data: account } = useSession();
  const unconfirmed = site.mail && account?.email_confirmed === false;
  const first = keys.length === 0;
  const full = keys.length >= site.max_keys_per_account;
  const open = plans.filter((plan) => plan.self_service);
  const ceiling = site.account_requests_per_day;

  function reveal(next: Revealed) {
    setRevealed(next);
    // Chat needs it then: API Gateway takes calls with a key only.
    if (site.enforcer === "aws" && site.gateway_base_url) {
      holdKey(next.id, { key: next.key, baseUrl: site.gateway_base_url });
    }
    setCreating(false);
    window.scrollTo({ top: 0 });
  }

  return (
    <>
      <PageHeading title={words.title} text={ceiling === null ? words.text : words.textCeiling(ceiling)}>
        {!first && !full && !creating && !revealed && !unconfirmed && (
          <Button onClick={() => setCreating(true)}>
            <Plus aria-hidden className="size-4" />
            {words.new}
          </Button>
        )}
      </PageHeading>
      <div className="space-y-10">
        {revealed && (
          <KeyReveal
            key={revealed.key}
            revealed={revealed}
            onDone={() => setRevealed(undefined)}
          />
        )}
        {unconfirmed && <Unconfirmed email={account.email} />}
        {!revealed && !full && !unconfirmed && (first || creating) && (
          <CreateKeyForm
            title={first ? words.firstTitle : words.newTitle}
            plans={open}
            keysSoFar={keys.length}
            onCancel={first ? undefined : () => setCreating(false)}
            onCreated={({ id, key, name, usage_plan_id }) =>
              reveal({ id, key, name, usagePlanId: usage_plan_id })
            }
          />
        )}
        {full && !revealed && <Notice>{words.maximum(site.max_keys_per_account)}</Notice>}
        <KeyList
          keys={keys}
          plans={plans}
          onRotated={({ id, key, name, usage_plan_id, previous_valid_until }) =>
            reveal({
              id,
              key,
              name,
              usagePlanId: usage_plan_id,
              rotation: { previousValidUntil: previous_valid_until },
            })
          }
          onDeleted={(id) => setRevealed((shown) => (shown?.id === id ? undefined : shown))}
        />
      </div>
    </>
  );
}

function KeysSkeleton() {
  return (
    <div className="space-y-4">
      <Skeleton className="h-4 w-80 max-w-full" />
      <Skeleton className="h-40 w-full" />
      <Skeleton className="h-40 w-full" />
    </div>
  );
}
