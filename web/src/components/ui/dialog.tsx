"use client";

import { useEffect, useId, useRef, type MouseEvent, type ReactNode } from "react";

type Props = {
  onClose: () => void;
  title: string;
  description?: string;
  children: ReactNode;
};

/** Open as long as it is rendered. The platform traps the focus, gives it back, and knows Esc. */
export function Dialog({ onClose, title, description, children }: Props) {
  const ref = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  const descriptionId = useId();

  useEffect(() => {
    const dialog = ref.current;
    dialog?.showModal();
    return () => dialog?.close();
  }, []);

  // The dialog's own box is filled by its content, so only the backdrop is the dialog itself.
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
      className="m-auto w-[calc(100%-2rem)] max-w-md rounded-xl border bg-raised text-foreground shadow-xl transition-[opacity,scale] backdrop:bg-black/50 starting:scale-98 starting:opacity-0"
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
