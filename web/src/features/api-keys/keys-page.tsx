"use client";

import { Plus } from "lucide-react";
import { useState, type Dispatch, type SetStateAction } from "react";
import { flushSync } from "react-dom";
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
import * as strings from "@/strings";
import { CreateKeyForm } from "./create-key-form";
import { KeyList } from "./key-list";
import { KeyReveal, type Revealed } from "./key-reveal";
import { controlOf, focusControl, returnFocusTo, useReturnedFocus } from "./return-focus";
import { Unconfirmed } from "./unconfirmed";
import { useForgotten } from "./use-forgotten";

const words = strings.keys;
const newKey = "new";

export function KeysPage() {
  const keys = useApiKeys();
  const plans = useUsagePlans();
  const site = useSite();
  const { data: account } = useSession();
  const [creating, setCreating] = useState(false);
  const [revealed, setRevealed] = useState<Revealed>();
  useForgotten(revealed?.key);
  const failed = [keys, plans, site].find((query) => query.isError && !query.data);
  const unconfirmed = site.data?.mail && account?.email_confirmed === false ? account.email : undefined;
  const mayCreate =
    keys.data && site.data && keys.data.length > 0 && keys.data.length < site.data.max_keys_per_account;

  return (
    <div className="mx-auto w-full max-w-5xl px-4 py-10 sm:px-6">
      <PageHeading title={words.title} text={words.text}>
        {mayCreate && !creating && !revealed && !unconfirmed && (
          <Button data-control={newKey} onClick={() => setCreating(true)}>
            <Plus aria-hidden className="size-4" />
            {words.new}
          </Button>
        )}
      </PageHeading>
      {keys.data && plans.data && site.data ? (
        <Keys
          keys={keys.data}
          plans={plans.data}
          site={site.data}
          unconfirmed={unconfirmed}
          firstTitle={account?.role === "operator" ? words.operatorsFirstTitle : words.firstTitle}
          creating={creating}
          setCreating={setCreating}
          revealed={revealed}
          setRevealed={setRevealed}
        />
      ) : failed ? (
        <LoadFailed
          error={failed.error}
          retrying={failed.isFetching}
          onRetry={() => void failed.refetch()}
        />
      ) : (
        <KeysSkeleton />
      )}
    </div>
  );
}

type Props = {
  keys: ApiKey[];
  plans: UsagePlan[];
  site: Site;
  /** The address to confirm before keys can be created. */
  unconfirmed: string | undefined;
  firstTitle: string;
  creating: boolean;
  setCreating: (creating: boolean) => void;
  revealed: Revealed | undefined;
  setRevealed: Dispatch<SetStateAction<Revealed | undefined>>;
};

function Keys({ keys, plans, site, unconfirmed, firstTitle, creating, setCreating, revealed, setRevealed }: Props) {
  const first = keys.length === 0;
  const full = keys.length >= site.max_keys_per_account;
  const open = plans.filter((plan) => plan.self_service);

  useReturnedFocus();

  function reveal(next: Revealed) {
    setRevealed(next);
    // Chat needs the secret then, because API Gateway accepts only calls with a key.
    if (site.enforcer === "aws" && site.gateway_base_url) {
      holdKey(next.id, { key: next.key, baseUrl: site.gateway_base_url });
    }
    setCreating(false);
    window.scrollTo({ top: 0 });
  }

  function cancel() {
    flushSync(() => setCreating(false));
    focusControl(newKey);
  }

  function close({ id, rotation }: Revealed) {
    returnFocusTo(rotation ? controlOf("rotate", id) : newKey);
    setRevealed(undefined);
  }

  function leave(href: string) {
    // Load a new page with its own history entry, so that the browser retains nothing of this one.
    window.history.pushState(null, "", href);
    setRevealed(undefined);
  }

  return (
    <div className="space-y-10">
      {revealed && (
        <KeyReveal
          key={revealed.key}
          revealed={revealed}
          onDone={() => close(revealed)}
          onLeave={leave}
        />
      )}
      {unconfirmed && <Unconfirmed email={unconfirmed} />}
      {!revealed && !full && !unconfirmed && (first || creating) && (
        <CreateKeyForm
          title={first ? firstTitle : words.newTitle}
          plans={open}
          keysSoFar={keys.length}
          onCancel={first ? undefined : cancel}
          onCreated={({ id, key, name, usage_plan_id }) =>
            reveal({ id, key, name, usagePlanId: usage_plan_id })
          }
        />
      )}
      {full && !revealed && <Notice>{words.maximum(site.max_keys_per_account)}</Notice>}
      <KeyList
        keys={keys}
        plans={plans}
        ceiling={site.account_requests_per_day}
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
  );
}

function KeysSkeleton() {
  return (
    <div className="space-y-4">
      <Skeleton className="h-40 w-full" />
      <Skeleton className="h-40 w-full" />
    </div>
  );
}
