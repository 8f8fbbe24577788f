"use client";

import { CircleUser, LogOut, Settings, ShieldCheck } from "lucide-react";
import Link from "next/link";
import { useId, useRef } from "react";
import { useSignOut } from "@/api/auth";
import { messageOf } from "@/api/problem";
import type { Account } from "@/api/types";
import { Button, buttonStyles } from "@/components/ui/button";
import * as strings from "@/strings";

const words = strings.accountMenu;

export default function AccountMenu({ account }: { account: Account }) {
  const id = useId();
  const menu = useRef<HTMLDivElement>(null);
  const signOut = useSignOut();

  return (
    <>
      <button
        type="button"
        popoverTarget={id}
        aria-label={words.account}
        title={words.account}
        className={buttonStyles({ variant: "ghost", size: "icon" })}
      >
        <CircleUser aria-hidden className="size-5" />
      </button>
      <div
        ref={menu}
        id={id}
        popover="auto"
        className="fixed inset-auto top-13 right-[max(1rem,calc((100vw-72rem)/2+1.5rem))] w-60 rounded-lg border bg-raised p-1 text-sm text-foreground shadow-lg"
      >
        <div className="mb-1 border-b px-3 pt-2 pb-3">
          <p className="font-medium">{account.email}</p>
          {account.role === "operator" && <p className="mt-0.5 text-muted">{words.operator}</p>}
        </div>
        {places(account.role).map(({ href, label, Icon }) => (
          <Link
            key={href}
            href={href}
            onClick={() => menu.current?.hidePopover()}
            className={`${buttonStyles({ variant: "ghost", size: "small" })} w-full justify-start`}
          >
            <Icon aria-hidden className="size-4" />
            {label}
          </Link>
        ))}
        <Button
          variant="ghost"
          size="small"
          className="w-full justify-start"
          pending={signOut.isPending}
          onClick={() => signOut.mutate()}
        >
          <LogOut aria-hidden className="size-4" />
          {words.signOut}
        </Button>
        {signOut.isError && (
          <p role="alert" className="px-3 py-2 text-danger">
            {messageOf(signOut.error)}
          </p>
        )}
      </div>
    </>
  );
}

function places(role: Account["role"]) {
  const own = { href: "/account/", label: words.settings, Icon: Settings };
  const office = { href: "/operator/", label: words.office, Icon: ShieldCheck };
  return role === "operator" ? [own, office] : [own];
}
