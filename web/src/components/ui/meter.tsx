import clsx from "clsx";

type Props = { used: number; limit: number; label: string };

/** Show the used share of an allowance. Sized by SVG attributes because the CSP forbids inline styles. */
export function Meter({ used, limit, label }: Props) {
  const share = limit > 0 ? Math.min(1, used / limit) : 1;
  return (
    <svg
      role="meter"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={limit}
      aria-valuenow={Math.min(used, limit)}
      aria-valuetext={label}
      className="block h-1.5 w-full overflow-hidden rounded-full"
    >
      <rect width="100%" height="100%" className="fill-track" />
      <rect
        width={`${share * 100}%`}
        height="100%"
        rx="3"
        className={clsx("transition-[width]", fillOf(share))}
      />
    </svg>
  );
}

function fillOf(share: number): string {
  if (share >= 1) return "fill-danger-fill";
  return share >= 0.8 ? "fill-warn-fill" : "fill-accent";
}
