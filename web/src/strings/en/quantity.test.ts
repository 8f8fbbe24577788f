import { expect, test } from "vitest";
import { figure, quantity } from "./quantity";

test.each([
  ["requests", 1, "1 request"],
  ["tokens", 10_000, "10,000 tokens"],
  ["cost", 0, "$0.00"],
  ["cost", 250_000, "$0.25"],
  ["cost", 125, "$0.000125"],
  ["cost", 1_000_000_000_001, "$1,000,000.000001"],
] as const)("%s: %d is %s", (measure, amount, words) => {
  expect(quantity(measure, amount)).toBe(words);
});

test("figures have no unit except the dollar sign", () => {
  expect(figure("tokens", 1_234)).toBe("1,234");
  expect(figure("cost", 1_500_000)).toBe("$1.50");
});
