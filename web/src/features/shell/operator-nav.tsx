"use client";

import clsx from "clsx";
import Link from "next/link";
import { usePathname } from "next/navigation";
import { useCallback, useEffect, useRef, type Ref } from "react";
import { doneIn } from "@/api/checklist";
import { useChecklist } from "@/api/operator";
import { useSession } from "@/api/session";
import * as strings from "@/strings";
import { operatorPages } from "@/components/operator-pages";

/**
 * The second row of the header on the operator's pages. It is part of the exported page, so that
 * nothing moves when the session is known. Scrolls sideways where the window is narrow.
 */
export default function OperatorNav() {
  const here = usePathname();
  const { data: account } = useSession();
  const current = useRef<HTMLAnchorElement>(null);
  const checklist = useRef<HTMLAnchorElement>(null);

  // Not `scrollIntoView`, which would also scroll the page. The link to the checklist covers the
  // end of the row.
  const centre = useCallback(() => {
    const link = current.current;
    const row = link?.parentElement;
    if (!link || !row) return;
    const visible = row.clientWidth - (checklist.current?.offsetWidth ?? 0);
    row.scrollLeft = link.offsetLeft - (visible - link.offsetWidth) / 2;
  }, []);
  useEffect(centre, [here, centre]);

  return (
    <nav aria-label={strings.operator.nav} className="border-t">
      <div className="relative mx-auto flex h-11 max-w-6xl overflow-x-auto px-2 [scrollbar-width:none] has-[#checklist-link]:scroll-pr-32 sm:px-3">
        {(account === undefined || account?.role === "operator") &&
          operatorPages.map(({ href, label, details }) => {
            const isCurrent = here === href || here === details?.href;
            return (
              <Link
                key={href}
                href={href}
                ref={isCurrent ? current : undefined}
                aria-current={isCurrent ? "page" : undefined}
                className={clsx(
                  "flex items-center border-b-2 px-2 text-sm whitespace-nowrap -outline-offset-2 sm:px-3",
                  isCurrent
                    ? "border-foreground font-medium"
                    : "border-transparent text-muted hover:text-foreground",
                )}
              >
                {label}
              </Link>
            );
          })}
        {account?.role === "operator" && <ChecklistLink ref={checklist} onShow={centre} />}
      </div>
    </nav>
  );
}

/** At the end of the row, where it stays in sight and moves nothing when it appears. */
function ChecklistLink({ ref, onShow }: { ref: Ref<HTMLAnchorElement>; onShow: () => void }) {
  const { data } = useChecklist();
  const isShown = data !== undefined && !data.steps.every(({ done }) => done);
  useEffect(() => {
    if (isShown) onShow();
  }, [isShown, onShow]);
  if (!isShown) return null;
  const progress = [doneIn(data), data.steps.length] as const;
  return (
    <Link
      id="checklist-link"
      ref={ref}
      href="/operator/#checklist"
      className="sticky right-1 my-auto mr-1 ml-auto flex h-7 shrink-0 items-center rounded-full bg-accent-soft px-3 text-sm font-medium text-accent shadow-[0_0_0_6px_var(--background),12px_0_0_6px_var(--background)] -outline-offset-2 sm:right-3 sm:mr-3"
    >
      {strings.checklist.link(...progress)}
      <span className="sr-only">{strings.checklist.linkSuffix}</span>
    </Link>
  );
}
