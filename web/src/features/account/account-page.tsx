"use client";

import type { ReactNode } from "react";
import { useSession } from "@/api/session";
import { useSite } from "@/api/site";
import { PageHeading } from "@/components/page-heading";
import { SignInWith } from "@/components/sign-in-with";
import * as strings from "@/strings";
import { formatDate } from "@/time/local-time";
import { DeleteAccount } from "./delete-account";
import { PasswordForm } from "./password-form";
import { SignOutEverywhere } from "./sign-out-everywhere";

const words = strings.account;

/** Reserves the text's space to avoid layout shift. */
const noText = "\u00a0";

export function AccountPage() {
  const { data: account } = useSession();
  const { data: site } = useSite();
  const other = site?.sign_in_with;
  return (
    <div className="mx-auto w-full max-w-5xl px-4 py-10 sm:px-6">
      <PageHeading
        title={words.title}
        text={account ? `${words.text(account.email)} ${words.since(formatDate(account.created_at))}` : noText}
      />
      <div className="divide-y border-t">
        <Part title={words.passwordTitle} text={words.passwordText}>
          {account && !account.has_password ? (
            <p className="text-sm leading-6">
              {words.noPassword} {site?.mail && words.noPasswordMail}
            </p>
          ) : (
            <PasswordForm email={account?.email ?? ""} />
          )}
        </Part>
        {other && account?.has_password && (
          <Part title={words.connectTitle(other)} text={words.connectText(other)}>
            <div className="max-w-sm">
              <SignInWith label={words.connect(other)} next={() => "/account/"} />
            </div>
          </Part>
        )}
        <Part title={words.sessionsTitle} text={words.sessionsText}>
          <SignOutEverywhere />
        </Part>
        <Part title={words.deleteTitle} text={words.deleteText}>
          {account && <DeleteAccount accountId={account.id} hasPassword={account.has_password} />}
        </Part>
      </div>
    </div>
  );
}

function Part({ title, text, children }: { title: string; text: string; children: ReactNode }) {
  return (
    <section aria-label={title} className="grid gap-6 py-8 md:grid-cols-2 md:gap-12">
      <div>
        <h2 className="font-semibold tracking-tight">{title}</h2>
        <p className="mt-1 text-sm leading-6 text-muted">{text}</p>
      </div>
      <div>{children}</div>
    </section>
  );
}
