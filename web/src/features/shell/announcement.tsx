"use client";

import { X } from "lucide-react";
import { storedValue } from "@/browser/stored-value";
import { LinkedParagraphs } from "@/components/linked-paragraphs";
import { IconButton } from "@/components/ui/icon-button";
import * as strings from "@/strings";
import type { Site } from "@/api/types";
import { useNow } from "@/time/use-now";

// The text itself, so that another announcement is shown again.
const dismissed = storedValue("daypass.dismissed-announcement");

type Props = { announcement: NonNullable<Site["announcement"]> };

export default function Announcement({ announcement: { text, until } }: Props) {
  const now = useNow();
  const isOver = until !== null && now !== null && now >= Date.parse(until);
  if (dismissed.useValue() === text || isOver) return null;
  return (
    <aside aria-label={strings.announcement.label} className="border-b bg-accent-soft">
      <div className="mx-auto flex max-w-6xl items-start gap-2 px-4 py-2 text-sm sm:px-6">
        <div className="min-w-0 flex-1 space-y-2 py-1.5 leading-6">
          <LinkedParagraphs text={text} />
        </div>
        <IconButton
          icon={X}
          label={strings.announcement.dismiss}
          onClick={() => dismissed.set(text)}
        />
      </div>
    </aside>
  );
}
