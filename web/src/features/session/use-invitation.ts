import { useHydrated } from "@/browser/use-hydrated";

const mark = "#invitation=";

/** In the fragment, which browsers send to nobody: the token is in no server's log. */
export function invitationAddress(token: string): string {
  return `${window.location.origin}/sign-up/${mark}${token}`;
}

/** The token of the link that led here, if it was an invitation. */
export function useInvitation(): string | undefined {
  const hydrated = useHydrated();
  if (!hydrated || !window.location.hash.startsWith(mark)) return undefined;
  return window.location.hash.slice(mark.length);
}
