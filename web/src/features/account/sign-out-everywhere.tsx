"use client";

import { useSignOutEverywhere } from "@/api/account";
import { messageOf } from "@/api/problem";
import { Button } from "@/components/ui/button";
import { Notice } from "@/components/ui/notice";
import * as strings from "@/strings";

export function SignOutEverywhere() {
  const signOut = useSignOutEverywhere();
  return (
    <div className="space-y-4">
      {signOut.isError && (
        <Notice tone="danger" alert>
          {messageOf(signOut.error)}
        </Notice>
      )}
      <Button variant="secondary" pending={signOut.isPending} onClick={() => signOut.mutate()}>
        {strings.account.signOutEverywhere}
      </Button>
    </div>
  );
}
