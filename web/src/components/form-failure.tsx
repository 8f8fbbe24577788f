"use client";

import { Notice } from "@/components/ui/notice";
import * as strings from "@/strings";
import { formatDuration } from "@/time/duration";
import { useNow } from "@/time/use-now";

const words = strings.session;

type Props = { message: string | undefined; retryAt: number | null };

/** Show a form's error and, if throttled, the time until the next attempt. */
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
