"use client";

import { useMutation } from "@tanstack/react-query";
import { messageOf } from "@/api/problem";
import { retryTimeOf } from "@/api/retry-after";
import { Button } from "@/components/ui/button";
import * as strings from "@/strings";
import { FormFailure } from "./form-failure";

const words = strings.mailbox;

export function SendAgain({ onSendAgain }: { onSendAgain: () => Promise<unknown> }) {
  const again = useMutation({ mutationFn: onSendAgain, gcTime: 0 });
  return (
    <div className="space-y-4">
      {again.isError && (
        <FormFailure message={messageOf(again.error)} retryAt={retryTimeOf(again.error)} />
      )}
      <Button variant="secondary" pending={again.isPending} onClick={() => again.mutate()}>
        {words.again}
      </Button>
      <p role="status" className="text-sm text-muted">
        {again.isSuccess && words.sentAgain}
      </p>
    </div>
  );
}
