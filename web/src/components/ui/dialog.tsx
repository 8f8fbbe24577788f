"use client";

import clsx from "clsx";
import { useId, useLayoutEffect, useRef, type MouseEvent, type ReactNode } from "react";
import { focusPlace, placeOf } from "@/browser/keep-focus";

type Props = {
  onClose: () => void;
  title: string;
  description?: string;
  /** For code and rows of fields, which need longer lines. */
  wide?: boolean;
  children: ReactNode;
};

/** A modal dialog, open while rendered. The browser traps and restores focus and handles Esc. */
export function Dialog({ onClose, title, description, wide, children }: Props) {
  const ref = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  const descriptionId = useId();

  // Focus returns to the opener only if the dialog closes before it leaves the document,
  // which happens before a passive effect is cleaned up.
  useLayoutEffect(() => {
    const dialog = ref.current;
    const opener = document.activeElement;
    const place = opener && placeOf(opener);
    dialog?.showModal();
    return () => {
      dialog?.close();
      if (place && !opener.isConnected) focusPlace(place);
    };
  }, []);

  // The content fills the dialog's box, so a click on the dialog itself is on the backdrop.
  const onBackdrop = (event: MouseEvent) => event.target === ref.current && onClose();

  return (
    <dialog
      ref={ref}
      aria-labelledby={titleId}
      aria-describedby={description ? descriptionId : undefined}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onMouseDown={onBackdrop}
      className={clsx(
        "m-auto w-[calc(100%-2rem)] rounded-xl border bg-raised text-foreground shadow-xl transition-[opacity,scale] backdrop:bg-black/50 starting:scale-98 starting:opacity-0",
        wide ? "max-w-2xl" : "max-w-md",
      )}
    >
      <div className="p-6">
        <h2 id={titleId} className="text-lg font-semibold tracking-tight">
          {title}
        </h2>
        {description && (
          <p id={descriptionId} className="mt-2 text-sm leading-6 text-muted">
            {description}
          </p>
        )}
        <div className="mt-5">{children}</div>
      </div>
    </dialog>
  );
}
