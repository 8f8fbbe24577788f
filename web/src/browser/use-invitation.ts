import { useFragment } from "./use-fragment";

const name = "invitation";

export function invitationAddress(token: string): string {
  return `${window.location.origin}/sign-up/#${name}=${token}`;
}

/** The token of the link that led here, if it was an invitation. */
export function useInvitation(): string | undefined {
  return useFragment(name) || undefined;
}
