"use client";

import { useLeaveForIdentity, type Departure } from "@/api/auth";
import { messageOf } from "@/api/problem";
import { Button } from "@/components/ui/button";
import { Notice } from "@/components/ui/notice";

type Props = {
  label: string;
  next: () => string;
  /** Whether the person may go on. */
  check?: () => boolean;
} & Omit<Departure, "next">;

/** Link to sign-in with the identity provider. */
export function SignInWith({ label, next, check, ...account }: Props) {
  const leave = useLeaveForIdentity();
  return (
    <div className="space-y-4">
      {leave.isError && <Notice tone="danger" alert>{messageOf(leave.error)}</Notice>}
      <Button
        variant="secondary"
        className="w-full"
        pending={leave.isPending}
        onClick={() => {
          if (check?.() ?? true) leave.mutate({ next: next(), ...account });
        }}
      >
        {label}
      </Button>
    </div>
  );
}
