import Link from "next/link";
import type { Failure } from "@/api/refusal";
import { useEnforcedByAws } from "@/api/site";
import { signInAddress } from "@/browser/return-to";
import { Button, buttonStyles } from "@/components/ui/button";
import { Notice } from "@/components/ui/notice";
import * as strings from "@/strings";
import { formatDuration } from "@/time/duration";
import { useNow } from "@/time/use-now";
import { composerId } from "./composer";
import type { Incident } from "./use-conversation";

const words = strings.chat;
const link = buttonStyles({ variant: "secondary", size: "small" });

type Props = Incident & { onAskAgain: () => void; onDismiss: () => void };

const worthRetrying: Failure["kind"][] = ["throttle", "upstream", "network", "broken"];

/** Show a failure. A used-up allowance has its own banner. */
export function FailureNotice({ failure, takenBack, onAskAgain, onDismiss }: Props) {
  const enforcedByAws = useEnforcedByAws();
  if (failure.kind === "quota") return null;
  const { title, text, textAws = text } = describe(failure);
  return (
    <Notice
      tone={failure.kind === "throttle" ? "warn" : "danger"}
      alert
      title={title}
      running={failure.kind === "throttle" && <Countdown to={failure.retryAt} />}
      action={
        <>
          {failure.kind === "signed-out" && (
            <Link href={signInAddress("/chat/")} className={link}>
              {strings.nav.signIn}
            </Link>
          )}
          {worthRetrying.includes(failure.kind) &&
            (takenBack ? (
              <Button type="submit" form={composerId} variant="secondary" size="small">
                {words.sendAgain}
              </Button>
            ) : (
              <Button variant="secondary" size="small" onClick={onAskAgain}>
                {words.askAgain}
              </Button>
            ))}
          <Button variant="ghost" size="small" onClick={onDismiss}>
            {words.dismiss}
          </Button>
        </>
      }
    >
      {enforcedByAws ? textAws : text} {takenBack && words.draftKept}
    </Notice>
  );
}

/** The words for a failure. `textAws` is for API Gateway, which counts failed requests too. */
type Words = { title: string; text: string; textAws?: string };

function describe(failure: Exclude<Failure, { kind: "quota" }>): Words {
  switch (failure.kind) {
    case "throttle":
      return {
        title: words.throttleTitle,
        text: words.throttleTextOf[failure.measure] ?? words.throttleText,
        textAws: words.throttleTextAws,
      };
    case "upstream":
      return { title: words.upstreamTitle, text: words.upstreamText, textAws: words.upstreamTextAws };
    case "network":
      return { title: words.networkTitle, text: words.networkText };
    case "signed-out":
      return { title: words.signedOutTitle, text: words.signedOutText };
    case "broken":
      return { title: words.brokenTitle, text: words.brokenOff };
    case "refused":
      return { title: words.refusedTitle, text: failure.message };
  }
}

function Countdown({ to }: { to: number }) {
  const now = useNow();
  if (now === null) return null;
  return to > now ? words.throttleWait(formatDuration(to - now)) : words.throttleReady;
}
