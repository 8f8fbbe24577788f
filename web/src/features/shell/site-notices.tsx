import clsx from "clsx";
import * as strings from "@/strings";
import { Announcements } from "./announcements";

/** Notices about this installation, visible from the first paint to avoid layout shift. */
export function SiteNotices() {
  return (
    <>
      <SiteNotice {...strings.pausedSite} className="paused:block" />
      <Announcements />
      <SiteNotice {...strings.demo} className="demo:block" />
      <SiteNotice {...strings.enforcedByAws} className="aws:block" />
    </>
  );
}

function SiteNotice({ title, text, className }: { title: string; text: string; className: string }) {
  return (
    <aside className={clsx("hidden border-b bg-surface", className)}>
      <p className="mx-auto max-w-6xl px-4 py-2 text-sm text-muted sm:px-6">
        <strong className="font-medium text-foreground">{title}</strong> {text}
      </p>
    </aside>
  );
}
