import { useFragment } from "./use-fragment";

const name = "invitation";

export function invitationAddress(token: string): string {
  return `${window.location.origin}/sign-up/#${name}=${token}`;
}

/** Return the token of the invitation link that led here, if any. */
export function useInvitation(): string | undefined {
  return useFragment(name) || undefined;
}
