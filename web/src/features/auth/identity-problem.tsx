"use client";

import { useSite } from "@/api/site";
import { Notice } from "@/components/ui/notice";
import * as strings from "@/strings";

const words = strings.identityProblems;

/** Explain a failed provider sign-in. The texts are ours, because anyone can craft the URL. */
export function IdentityProblem() {
  const name = useSite().data?.sign_in_with;
  if (!name) return null;
  const reason = new URLSearchParams(window.location.search).get("problem") ?? "";
  if (!Object.hasOwn(words, reason)) return null;
  return <Notice tone="danger" alert>{words[reason]!(name)}</Notice>;
}
