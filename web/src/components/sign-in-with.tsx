"use client";

import { useLeaveForIdentity } from "@/api/auth";
import { messageOf } from "@/api/problem";
import { Button } from "@/components/ui/button";
import { Notice } from "@/components/ui/notice";

type Props = { label: string; next: () => string; invitation?: string };

/** Link to sign-in with the identity provider. */
export function SignInWith({ label, next, invitation }: Props) {
  const leave = useLeaveForIdentity();
  return (
    <div className="space-y-4">
      {leave.isError && <Notice tone="danger" alert>{messageOf(leave.error)}</Notice>}
      <Button
        variant="secondary"
        className="w-full"
        pending={leave.isPending}
        onClick={() => leave.mutate({ next: next(), invitation })}
      >
        {label}
      </Button>
    </div>
  );
}
