"use client";

import clsx from "clsx";
import Link from "next/link";
import { useSignUpPolicy } from "@/api/operator";
import type { SignUpPolicy } from "@/api/types";
import { buttonStyles } from "@/components/ui/button";
import { Notice } from "@/components/ui/notice";
import * as strings from "@/strings";
import { Invitations } from "./invitations";
import { Loaded } from "./loaded";

const words = strings.operator.signUp;

export function SignUpPage() {
  const policy = useSignUpPolicy();
  return (
    <Loaded query={policy} skeleton="h-96">
      {(data) => (
        <div className="space-y-10">
          <Policy policy={data} />
          <section aria-labelledby="invitations">
            <h2 id="invitations" className="mb-4 text-lg font-semibold tracking-tight">
              {words.invitations}
            </h2>
            {data.sign_up === "invite" || data.invitations.length > 0 ? (
              <Invitations invitations={data.invitations} open={data.sign_up === "invite"} />
            ) : (
              <Notice>{words.onlyInvite}</Notice>
            )}
          </section>
        </div>
      )}
    </Loaded>
  );
}

function Policy({ policy: { sign_up, allowed_email_domains: domains } }: { policy: SignUpPolicy }) {
  return (
    <section aria-labelledby="sign-up-policy">
      <h2 id="sign-up-policy" className="text-lg font-semibold tracking-tight">
        {words.policy[sign_up]}
      </h2>
      {domains.length > 0 && sign_up !== "closed" && (
        <p className="mt-1 text-sm text-muted">{words.domains(domains)}</p>
      )}
      <Link href="/operator/settings/" className={clsx(buttonStyles({ variant: "secondary" }), "mt-4")}>
        {words.change}
      </Link>
    </section>
  );
}
