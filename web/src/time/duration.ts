import * as strings from "@/strings";

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** Format a duration in at most two units: "6 h 12 min", "4 min 9 s", "0 s". Rounds up, so 0 means over. */
export function formatDuration(milliseconds: number): string {
  const left = Math.max(0, Math.ceil(milliseconds / second) * second);
  const { days, hours, minutes, seconds } = strings.units;
  if (left >= day) return pair(left, day, days, hour, hours);
  if (left >= hour) return pair(left, hour, hours, minute, minutes);
  if (left >= minute) return pair(left, minute, minutes, second, seconds);
  return `${left / second} ${seconds}`;
}

function pair(left: number, large: number, largeUnit: string, small: number, smallUnit: string) {
  const rest = Math.floor((left % large) / small);
  const head = `${Math.floor(left / large)} ${largeUnit}`;
  return rest === 0 ? head : `${head} ${rest} ${smallUnit}`;
}
