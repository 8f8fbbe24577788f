"use client";

import { useRouter } from "next/navigation";
import { useSetUp } from "@/api/auth";
import { useSite } from "@/api/site";
import { useTakenFragment } from "@/browser/use-taken-fragment";
import { Notice } from "@/components/ui/notice";
import { signUpSchema } from "@/forms/credentials";
import * as strings from "@/strings";
import { CredentialsForm } from "./credentials-form";
import { Frame } from "./frame";
import { TextLink } from "./text-link";

const words = strings.session;

/** The page that a new site's setup link opens. */
export function SetUp() {
  const token = useTakenFragment();
  const { data: site } = useSite();
  const router = useRouter();
  const setUp = useSetUp(token ?? "");
  // The account just created is the site's operator.
  const isSetUp = site?.has_operator === true && setUp.isIdle;
  return (
    <Frame title={words.setupTitle} text={isSetUp ? undefined : words.setupText}>
      {isSetUp ? (
        <>
          <Notice>{words.setupDone}</Notice>
          <p className="text-sm">
            <TextLink href="/sign-in/">{words.signIn}</TextLink>
          </p>
        </>
      ) : (
        <>
          {token === "" && <Notice tone="warn">{words.setupNoToken}</Notice>}
          {token && (
            <CredentialsForm
              schema={signUpSchema}
              submitLabel={words.setupSubmit}
              passwordHint={words.passwordHint}
              passwordKind="new-password"
              onSubmit={async (credentials) => {
                await setUp.mutateAsync(credentials);
                router.replace("/operator/");
              }}
            />
          )}
        </>
      )}
    </Frame>
  );
}
