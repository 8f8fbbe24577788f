import clsx from "clsx";

/**
 * The site's own logo, if it has one: /api/site.css brings it before the first paint. Otherwise a
 * ticket with a rising sun, the pass for one day, which is the same drawing as app/icon.svg.
 * `className` sets the height.
 */
export function Logo({ className }: { className: string }) {
  return (
    <>
      <span
        aria-hidden
        className={clsx(
          "hidden aspect-(--site-logo-ratio) max-w-40 shrink-0 bg-(image:--site-logo) bg-contain bg-left bg-no-repeat logo:inline-block",
          className,
        )}
      />
      <DefaultLogo className={clsx("aspect-square shrink-0 logo:hidden", className)} />
    </>
  );
}

function DefaultLogo({ className }: { className: string }) {
  return (
    <svg viewBox="0 0 32 32" aria-hidden className={className}>
      <path
        className="fill-accent"
        d="M7 6h18a4 4 0 0 1 4 4v2.5a3.5 3.5 0 0 0 0 7V22a4 4 0 0 1-4 4H7a4 4 0 0 1-4-4v-2.5a3.5 3.5 0 0 0 0-7V10a4 4 0 0 1 4-4Z"
      />
      <path
        className="stroke-background"
        fill="none"
        strokeWidth="2.5"
        strokeLinecap="round"
        d="M10 20a6 6 0 0 1 12 0M16 9.5v1.5M9.3 12.3l1 1M22.7 12.3l-1 1"
      />
    </svg>
  );
}
