import * as strings from "@/strings";
import { formatUtcDate } from "@/time/local-time";
import { totalOf, type Day } from "./days";

const words = strings.usage;
const height = 100;
const slot = 10;
const bar = 7;

/** Bars by SVG attributes, stretched to the width there is; the words around it are plain text. */
export function Chart({ days }: { days: Day[] }) {
  const top = Math.max(1, ...days.map(({ requests, refused }) => requests + refused));
  const { requests, refused } = totalOf(days);
  const first = days[0];
  const last = days.at(-1);
  return (
    <figure>
      <div className="flex gap-3">
        <div aria-hidden className="flex flex-col justify-between text-xs text-muted tabular-nums">
          <span className="-mt-1.5">{top}</span>
          <span className="-mb-1.5">0</span>
        </div>
        <svg
          role="img"
          aria-label={words.chartLabel(requests, refused)}
          viewBox={`0 0 ${days.length * slot} ${height}`}
          preserveAspectRatio="none"
          className="h-40 min-w-0 flex-1 border-y"
        >
          {days.map((day, index) => (
            <Bar key={day.date} day={day} x={index * slot + (slot - bar) / 2} scale={height / top} />
          ))}
        </svg>
      </div>
      <div aria-hidden className="mt-2 flex justify-between pl-6 text-xs text-muted">
        <span>{first && formatUtcDate(first.date)}</span>
        <span>{last && formatUtcDate(last.date)}</span>
      </div>
      <figcaption className="mt-4 flex gap-5 text-xs text-muted">
        <span className="flex items-center gap-2">
          <span className="size-2.5 rounded-xs bg-accent" />
          {words.served}
        </span>
        <span className="flex items-center gap-2">
          <span className="size-2.5 rounded-xs bg-warn-fill" />
          {words.refused}
        </span>
      </figcaption>
    </figure>
  );
}

function Bar({ day, x, scale }: { day: Day; x: number; scale: number }) {
  const served = day.requests * scale;
  const refused = day.refused * scale;
  return (
    <g>
      <title>{words.bar(formatUtcDate(day.date), day.requests, day.refused)}</title>
      {/* The whole column answers to the pointer, not only the bar in it. */}
      <rect x={x} width={bar} height={height} fill="transparent" />
      <rect x={x} y={height - served} width={bar} height={served} className="fill-accent" />
      <rect
        x={x}
        y={height - served - refused}
        width={bar}
        height={refused}
        className="fill-warn-fill"
      />
    </g>
  );
}
