import clsx from "clsx";
import * as strings from "@/strings";
import { formatUtcDate } from "@/time/local-time";
import type { Series, Stack } from "./figures";

const words = strings.usage;
const height = 100;
const slot = 10;
const bar = 7;

// Complete class names, because Tailwind reads them from the source.
const parts = [
  { bar: "fill-series-1", mark: "bg-series-1" },
  { bar: "fill-series-2", mark: "bg-series-2" },
  { bar: "fill-series-3", mark: "bg-series-3" },
  { bar: "fill-series-4", mark: "bg-series-4" },
  { bar: "fill-series-5", mark: "bg-series-5" },
];
const others = { bar: "fill-line-strong", mark: "bg-line-strong" };
const refused = { bar: "fill-warn-fill", mark: "bg-warn-fill" };

/** A bar chart of SVG attributes, stretched to the available width. Its labels are plain text. */
export function Chart({ stack, label }: { stack: Stack; label: string }) {
  const { measure, dates, series, top } = stack;
  return (
    <figure>
      <div className="flex gap-3">
        <div aria-hidden className="flex flex-col justify-between text-right text-xs text-muted tabular-nums">
          <span className="-mt-1.5">{strings.figure(measure, top)}</span>
          <span className="-mb-1.5">{strings.figure(measure, 0)}</span>
        </div>
        <svg
          role="img"
          aria-label={label}
          viewBox={`0 0 ${dates.length * slot} ${height}`}
          preserveAspectRatio="none"
          className="h-40 min-w-0 flex-1 border-y"
        >
          {dates.map((date, day) => (
            <Day key={date} stack={stack} day={day} />
          ))}
        </svg>
      </div>
      <div aria-hidden className="mt-2 flex justify-between pl-6 text-xs text-muted">
        <span>{formatUtcDate(dates[0]!)}</span>
        <span>{formatUtcDate(dates.at(-1)!)}</span>
      </div>
      <figcaption className="mt-4 flex flex-wrap gap-x-5 gap-y-2 text-xs text-muted">
        {series.map((one, index) => (
          <span key={`${one.kind} ${one.id}`} className="flex max-w-60 items-center gap-2">
            <span className={clsx("size-2.5 shrink-0 rounded-xs", lookOf(one, index).mark)} />
            <span className="truncate">{nameOf(one)}</span>
            <span className="tabular-nums">{strings.figure(measure, one.total)}</span>
          </span>
        ))}
      </figcaption>
    </figure>
  );
}

function Day({ stack: { measure, dates, series, top }, day }: { stack: Stack; day: number }) {
  const x = day * slot + (slot - bar) / 2;
  const standing = series.filter(({ values }) => values[day]! > 0);
  const figures = standing.map((one) => `${nameOf(one)} ${strings.figure(measure, one.values[day]!)}`);
  const sizes = standing.map(({ values }) => (values[day]! / top) * height);
  const reached = (index: number) => sizes.slice(0, index + 1).reduce((sum, size) => sum + size, 0);
  return (
    <g>
      <title>{words.bar(formatUtcDate(dates[day]!), figures.join(", "))}</title>
      {/* The whole column responds to the pointer, not only its bar. */}
      <rect x={x} width={bar} height={height} fill="transparent" />
      {standing.map((one, index) => (
        <rect
          key={`${one.kind} ${one.id}`}
          x={x}
          y={height - reached(index)}
          width={bar}
          height={sizes[index]}
          className={lookOf(one, series.indexOf(one)).bar}
        />
      ))}
    </g>
  );
}

function nameOf({ kind, name }: Series): string {
  if (kind === "refused") return words.refused;
  return kind === "others" ? words.others : name || words.noModel;
}

function lookOf({ kind }: Series, index: number): { bar: string; mark: string } {
  if (kind === "refused") return refused;
  return (kind === "part" && parts[index]) || others;
}
