import type { Ceiling } from "@/api/types";
import { Cell, Table } from "@/components/ui/table";
import * as strings from "@/strings";

const words = strings.operator.overview;
const { limit, subject, used } = words.ceilingColumns;

/** Show every limit that applies in addition to the plans, set or not, and its usage. */
export function Ceilings({ ceilings }: { ceilings: Ceiling[] }) {
  return (
    <>
      <p className="-mt-2 mb-4 max-w-2xl text-sm leading-6 text-muted">{words.ceilingsText}</p>
      <Table
        label={words.ceilingsTable}
        columns={[{ label: limit }, { label: subject }, { label: used }]}
      >
        {ceilings.map((ceiling) => (
          <tr key={ceiling.setting}>
            <Cell>
              {ceiling.limit === null ? (
                <span className="text-muted">{words.noLimit(ceiling.measure, ceiling.window)}</span>
              ) : (
                words.limit(ceiling.measure, ceiling.limit, ceiling.window)
              )}
            </Cell>
            <Cell>{words.subjects[ceiling.subject]}</Cell>
            <Cell className="tabular-nums">
              {ceiling.used !== null && words.used(ceiling.measure, ceiling.used, ceiling.window)}
            </Cell>
          </tr>
        ))}
      </Table>
    </>
  );
}
