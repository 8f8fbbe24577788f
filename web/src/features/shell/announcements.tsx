"use client";

import { lazy, Suspense } from "react";
import { useSite } from "@/api/site";

// Most of the time there is none.
const Announcement = lazy(() => import("./announcement"));

/** The operator's announcement. Its place is on the page from the start, to be read out when filled. */
export function Announcements() {
  const announcement = useSite().data?.announcement;
  return (
    <div aria-live="polite">
      {announcement && (
        <Suspense>
          <Announcement announcement={announcement} />
        </Suspense>
      )}
    </div>
  );
}
