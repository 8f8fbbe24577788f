"use client";

import { useSite } from "@/api/site";
import { Notice } from "@/components/ui/notice";
import * as strings from "@/strings";

const words = strings.identityProblems;

/** Why the other site's sign-in led back here. Its words are ours: the address may be anybody's. */
export function IdentityProblem() {
  const name = useSite().data?.sign_in_with;
  if (!name) return null;
  const reason = new URLSearchParams(window.location.search).get("problem") ?? "";
  if (!Object.hasOwn(words, reason)) return null;
  return <Notice tone="danger" alert>{words[reason]!(name)}</Notice>;
}
