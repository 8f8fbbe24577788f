"use client";

import type { Departure } from "@/api/auth";
import { useSite } from "@/api/site";
import { returnAddress } from "@/browser/return-to";
import { SignInWith } from "@/components/sign-in-with";
import * as strings from "@/strings";

const words = strings.session;

/** Sign-in with the identity provider, below the form, if one is configured. */
export function OtherSignIn(account: Omit<Departure, "next"> & { check?: () => boolean }) {
  const name = useSite().data?.sign_in_with;
  if (!name) return null;
  return (
    <>
      <p className="flex items-center gap-3 text-sm text-muted before:h-px before:flex-1 before:bg-line after:h-px after:flex-1 after:bg-line">
        {words.or}
      </p>
      <SignInWith
        label={words.signInWith(name)}
        next={() => returnAddress(window.location.search, window.location.origin)}
        {...account}
      />
    </>
  );
}
