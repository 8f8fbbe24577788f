"use client";

import Link from "next/link";
import { useRouter } from "next/navigation";
import { useEffect, type ReactNode } from "react";
import { useLikelySession } from "@/api/session";
import { Logo } from "@/components/logo";
import { returnAddress } from "./return-to";

type Props = {
  title: string;
  text: string;
  otherwise: { question: string; href: string; label: string };
  children: ReactNode;
};

/** The frame of sign-in and sign-up. Whoever is, or has just become, signed in goes on from here. */
export function Entrance({ title, text, otherwise, children }: Props) {
  const account = useLikelySession();
  const router = useRouter();

  useEffect(() => {
    if (account) router.replace(returnAddress(window.location.search, window.location.origin));
  }, [account, router]);

  return (
    <div className="mx-auto w-full max-w-sm px-4 py-16 sm:py-24">
      <Logo className="size-10" />
      <h1 className="mt-6 text-2xl font-semibold tracking-tight">{title}</h1>
      <p className="mt-2 text-muted">{text}</p>
      <div className="mt-8 space-y-6">{children}</div>
      <p className="mt-8 text-sm text-muted">
        {otherwise.question}{" "}
        <Link
          href={otherwise.href}
          className="rounded-sm font-medium text-foreground underline underline-offset-4"
        >
          {otherwise.label}
        </Link>
      </p>
    </div>
  );
}
