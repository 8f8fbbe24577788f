import { expect, test } from "vitest";
import { formatDuration } from "./duration";

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;

test.each([
  [-5 * second, "0 s"],
  [0, "0 s"],
  [1, "1 s"],
  [59 * second, "59 s"],
  [59 * second + 1, "1 min"],
  [4 * minute + 9 * second, "4 min 9 s"],
  [hour - 1, "1 h"],
  [6 * hour + 12 * minute + 3 * second, "6 h 12 min"],
  [24 * hour, "1 d"],
  [30 * hour, "1 d 6 h"],
])("%d ms is %s", (milliseconds, words) => {
  expect(formatDuration(milliseconds)).toBe(words);
});
