import { useSiteUsage } from "@/api/operator";
import { AllowanceMeter } from "@/components/allowance-meter";
import * as strings from "@/strings";
import { Loaded } from "./loaded";

const words = strings.live;
const days = 1;
const refetchEvery = 5_000;

/** The limits of the whole site, and how much of each is used now. */
export function LiveCeilings() {
  const usage = useSiteUsage(days, refetchEvery);
  return (
    <Loaded query={usage} skeleton="h-24">
      {({ ceilings }) => {
        const set = ceilings.filter(({ subject, limit }) => subject === "site" && limit !== null);
        if (set.length === 0) return <p className="text-muted">{words.ceilingsNone}</p>;
        return (
          <ul className="space-y-4">
            {set.map(({ setting, measure, window, limit, used }) => (
              <li key={setting}>
                <AllowanceMeter
                  title={strings.operator.overview.limit(measure, limit ?? 0, window)}
                  subject={strings.operator.overview.site}
                  allowance={{ used: used ?? 0, limit, window, measure }}
                />
              </li>
            ))}
          </ul>
        );
      }}
    </Loaded>
  );
}
