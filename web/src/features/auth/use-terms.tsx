"use client";

import { useRef, useState } from "react";
import { useSite } from "@/api/site";
import * as strings from "@/strings";

const words = strings.terms;

/** The checkbox with which a new account accepts the site's terms, if the site has any. */
export function useTerms() {
  const terms = useSite().data?.terms;
  const [accepted, setAccepted] = useState(false);
  const [missing, setMissing] = useState(false);
  const box = useRef<HTMLInputElement>(null);

  const field = terms && (
    <div>
      <label className="flex items-start gap-2.5 text-sm leading-6">
        <input
          ref={box}
          type="checkbox"
          checked={accepted}
          onChange={(event) => {
            setAccepted(event.target.checked);
            setMissing(false);
          }}
          aria-invalid={missing || undefined}
          aria-describedby={missing ? "terms-missing" : undefined}
          className="mt-1 size-4 shrink-0 accent-accent"
        />
        <span>
          {words.accept}{" "}
          <a
            href="/terms/"
            target="_blank"
            rel="noopener"
            className="rounded-sm font-medium text-foreground underline underline-offset-4"
          >
            {words.acceptLink}
          </a>
          .
        </span>
      </label>
      {missing && (
        <p id="terms-missing" role="alert" className="mt-1.5 text-sm text-danger">
          {words.missing}
        </p>
      )}
    </div>
  );

  return {
    field,
    /** The accepted version, for the portal. */
    accepted_terms: accepted ? terms?.version : undefined,
    /** Return whether nothing is left to accept. Otherwise point the person to the checkbox. */
    check(): boolean {
      const isGood = !terms || accepted;
      setMissing(!isGood);
      if (!isGood) box.current?.focus();
      return isGood;
    },
  };
}
