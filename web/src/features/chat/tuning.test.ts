import { expect, test } from "vitest";
import { toTuning, tuningSchema, valuesOf } from "./tuning";

test.each([
  ["", null],
  ["0", 0],
  ["0,7", 0.7],
  ["1.25", 1.25],
  ["2.0", 2],
])("a temperature of '%s' is %s", (temperature, number) => {
  const values = tuningSchema.parse({ instructions: "", temperature });
  expect(toTuning(values).temperature).toBe(number);
});

test.each(["2.1", "-1", "warm", "3", "1.234"])("'%s' is not a valid temperature", (temperature) => {
  expect(tuningSchema.safeParse({ instructions: "", temperature }).success).toBe(false);
});

test("stored values are shown in the form", () => {
  const tuning = { instructions: "Be brief.", temperature: 0.5 };
  expect(toTuning(valuesOf(tuning))).toEqual(tuning);
});
