import * as strings from "@/strings";

/** Say which options of a plan API Gateway does not enforce, if there are any. */
export function NotEnforced({ options, className = "" }: { options: string[]; className?: string }) {
  if (options.length === 0) return null;
  return <p className={`text-sm text-warn ${className}`}>{strings.plans.notEnforced(options)}</p>;
}
