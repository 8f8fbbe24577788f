"use client";

import { useConfirm } from "@/api/mailbox";
import { messageOf } from "@/api/problem";
import { Button } from "@/components/ui/button";
import { Notice } from "@/components/ui/notice";
import * as strings from "@/strings";
import { Frame } from "./frame";
import { TextLink } from "./text-link";
import { useFragment } from "./use-fragment";

const words = strings.mailbox;

/** A press, and not the mere visit, confirms: mail scanners visit every link. */
export function Confirm() {
  const token = useFragment("token");
  const confirm = useConfirm();
  const done = confirm.data;
  return (
    <Frame title={words.confirmTitle} text={words.confirmText}>
      {token === "" && <Notice tone="warn">{words.noToken}</Notice>}
      {confirm.isError && <Notice tone="danger" alert>{messageOf(confirm.error)}</Notice>}
      {done ? (
        <p role="status">
          {done.made === "account"
            ? words.confirmedAccount(done.email)
            : words.confirmedAddress(done.email)}
        </p>
      ) : (
        token && (
          <Button className="w-full" pending={confirm.isPending} onClick={() => confirm.mutate(token)}>
            {words.confirmSubmit}
          </Button>
        )
      )}
      <p className="text-sm">
        {done?.made === "address" ? (
          <TextLink href="/keys/">{words.openKeys}</TextLink>
        ) : (
          <TextLink href="/sign-in/">{words.backToSignIn}</TextLink>
        )}
      </p>
    </Frame>
  );
}
