import { pageSize } from "@/api/operator";
import { Button } from "@/components/ui/button";
import * as strings from "@/strings";

const words = strings.operator;

type Props = {
  offset: number;
  shown: number;
  /** Absent if the total is unknown. The next page may then be empty. */
  total?: number;
  onTurn: (offset: number) => void;
};

export function Pager({ offset, shown, total, onTurn }: Props) {
  const last = total === undefined ? shown < pageSize : offset + shown >= total;
  if (offset === 0 && last) return null;
  return (
    <div className="mt-4 flex items-center gap-2 text-sm text-muted">
      {total !== undefined && (
        <p className="mr-2 tabular-nums">{words.range(offset + 1, offset + shown, total)}</p>
      )}
      <Button
        variant="secondary"
        size="small"
        disabled={offset === 0}
        onClick={() => onTurn(Math.max(0, offset - pageSize))}
      >
        {words.previous}
      </Button>
      <Button
        variant="secondary"
        size="small"
        disabled={last}
        onClick={() => onTurn(offset + pageSize)}
      >
        {words.next}
      </Button>
    </div>
  );
}
