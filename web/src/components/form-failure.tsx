"use client";

import { Notice } from "@/components/ui/notice";
import * as strings from "@/strings";
import { formatDuration } from "@/time/duration";
import { useNow } from "@/time/use-now";

const words = strings.session;

type Props = { message: string | undefined; retryAt: number | null };

/** What is wrong with a form as a whole; where the server asks for patience, how much of it is left. */
export function FormFailure({ message, retryAt }: Props) {
  if (!message) return null;
  if (retryAt === null) return <Notice tone="danger" alert>{message}</Notice>;
  return (
    <Notice tone="warn" alert title={words.throttled} running={<Countdown to={retryAt} />}>
      {words.throttledText}
    </Notice>
  );
}

function Countdown({ to }: { to: number }) {
  const now = useNow();
  if (now === null) return null;
  return to > now ? words.tryAgainIn(formatDuration(to - now)) : words.tryAgainNow;
}
