"use client";

import { useRouter } from "next/navigation";
import { useState } from "react";
import { useCreateResetLink, useSignOutPerson } from "@/api/operator";
import type { Person, ResetLink } from "@/api/types";
import { ConfirmDialog } from "@/components/confirm-dialog";
import { Button } from "@/components/ui/button";
import { toast } from "@/components/ui/toast";
import * as strings from "@/strings";
import { formatInstant } from "@/time/local-time";
import { useNow } from "@/time/use-now";
import { AccountDialog, actionsOn, type AccountAction } from "./account-actions";
import { OneTimeLink } from "./one-time-link";

const words = strings.operator.person;

/** The buttons that act on an account. A reset link is held only in this component's state. */
export function PersonActions({ person }: { person: Person }) {
  const router = useRouter();
  const now = useNow() ?? 0;
  const [asked, setAsked] = useState<AccountAction | "reset" | "signOut">();
  const [link, setLink] = useState<ResetLink>();
  const createLink = useCreateResetLink();
  const signOut = useSignOutPerson();
  const { id, email } = person;
  const close = () => setAsked(undefined);

  async function create() {
    setLink(await createLink.mutateAsync({ id }));
    createLink.reset();
    toast(words.linkCreated);
  }

  function done() {
    close();
    if (asked === "delete") router.replace("/operator/people/");
  }

  return (
    <>
      <div role="group" aria-label={words.actions} className="flex flex-wrap gap-2">
        {(["reset", "signOut"] as const).map((action) => (
          <Button key={action} variant="secondary" size="small" onClick={() => setAsked(action)}>
            {words[action]}
          </Button>
        ))}
        {actionsOn(person).map((action) => (
          <Button key={action} variant="secondary" size="small" onClick={() => setAsked(action)}>
            {strings.operator.people[action]}
          </Button>
        ))}
      </div>
      {link && (
        <OneTimeLink
          text={words.linkText(formatInstant(link.expires_at, now))}
          label={words.link}
          copyLabel={words.copyLink}
          url={link.url}
        />
      )}
      {asked === "reset" && (
        <ConfirmDialog
          title={words.resetTitle(email)}
          text={words.resetText}
          confirmLabel={words.createLink}
          onConfirm={create}
          onDone={close}
          onCancel={close}
        />
      )}
      {asked === "signOut" && (
        <ConfirmDialog
          title={words.signOutTitle(email)}
          text={words.signOutText}
          confirmLabel={words.signOut}
          onConfirm={async () => {
            await signOut.mutateAsync({ id });
            toast(words.signedOut);
          }}
          onDone={close}
          onCancel={close}
        />
      )}
      {asked && asked !== "reset" && asked !== "signOut" && (
        <AccountDialog action={asked} account={person} onDone={done} onCancel={close} />
      )}
    </>
  );
}
