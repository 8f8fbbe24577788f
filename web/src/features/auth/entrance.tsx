"use client";

import { useRouter } from "next/navigation";
import { useEffect, type ReactNode } from "react";
import { useLikelySession } from "@/api/session";
import { returnAddress } from "@/browser/return-to";
import { Frame } from "./frame";
import { TextLink } from "./text-link";

type Props = {
  title: string;
  text: string;
  otherwise: { question: string; href: string; label: string };
  children: ReactNode;
};

/** Sign-in and sign-up. Redirects once someone is signed in. */
export function Entrance({ title, text, otherwise, children }: Props) {
  const account = useLikelySession();
  const router = useRouter();

  useEffect(() => {
    if (!account) return;
    const home = account.role === "operator" ? "/operator/" : undefined;
    router.replace(returnAddress(window.location.search, window.location.origin, home));
  }, [account, router]);

  return (
    <Frame title={title} text={text}>
      {children}
      <p className="text-sm text-muted">
        {otherwise.question} <TextLink href={otherwise.href}>{otherwise.label}</TextLink>
      </p>
    </Frame>
  );
}
