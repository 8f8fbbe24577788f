import { useState } from "react";
import { useChangeSettings, useSettings } from "@/api/operator";
import { ConfirmDialog } from "@/components/confirm-dialog";
import { Button } from "@/components/ui/button";
import { toast } from "@/components/ui/toast";
import * as strings from "@/strings";

const words = strings.live;

/** Pause the whole site, or resume it, after a confirmation. */
export function PauseSwitch() {
  const settings = useSettings();
  const change = useChangeSettings();
  const [asked, setAsked] = useState(false);
  const setting = settings.data?.settings.find(({ name }) => name === "paused");
  if (!setting) return null;
  if (setting.place) return <p className="text-sm text-muted">{words.pausedIn(setting.place)}</p>;
  const paused = setting.value === true;

  async function turn() {
    await change.mutateAsync({ paused: !paused });
    // The mark that /api/site.js sets on a new page.
    if (paused) delete document.documentElement.dataset.paused;
    else document.documentElement.dataset.paused = "";
    toast(paused ? words.didResume : words.didPause);
  }

  return (
    <>
      <Button size="large" variant={paused ? "primary" : "danger"} onClick={() => setAsked(true)}>
        {paused ? words.resume : words.pause}
      </Button>
      {asked && (
        <ConfirmDialog
          title={paused ? words.resumeTitle : words.pauseTitle}
          text={paused ? words.resumeText : words.pauseText}
          confirmLabel={paused ? words.resume : words.pause}
          danger={!paused}
          onConfirm={turn}
          onDone={() => setAsked(false)}
          onCancel={() => setAsked(false)}
        />
      )}
    </>
  );
}
