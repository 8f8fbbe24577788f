"use client";

import { CircleUser, LogOut } from "lucide-react";
import { messageOf } from "@/api/problem";
import { useSignOut } from "@/api/session";
import type { Account } from "@/api/types";
import { Menu, MenuHeading, MenuItem } from "@/components/ui/menu";
import { toast } from "@/components/ui/toast";
import { strings } from "@/strings";

export function AccountMenu({ account }: { account: Account }) {
  const signOut = useSignOut();
  const leave = () =>
    signOut.mutate(undefined, { onError: (error) => toast(messageOf(error), "error") });

  return (
    <Menu label={strings.nav.account} icon={<CircleUser aria-hidden className="size-5" />}>
      <MenuHeading>
        <span className="block max-w-60 truncate font-medium">{account.email}</span>
        {account.role === "operator" && <span className="text-muted">{strings.nav.operator}</span>}
      </MenuHeading>
      <MenuItem icon={<LogOut aria-hidden className="size-4" />} onSelect={leave}>
        {strings.nav.signOut}
      </MenuItem>
    </Menu>
  );
}
