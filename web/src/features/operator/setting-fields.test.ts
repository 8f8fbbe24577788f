import { expect, test } from "vitest";
import type { Setting } from "@/api/types";
import { ceilingFields, schemaOf, signUpFields, textOf, valueOf } from "./setting-fields";

const fields = [...signUpFields, ...ceilingFields("site")];

function fieldOf(name: string) {
  return fields.find((field) => field.name === name)!;
}

function setting(name: string, value: Setting["value"]): Setting {
  return { name, value, default: null, source: "site", place: null, unavailable: null };
}

test.each([
  ["sign_up", "closed", "closed"],
  ["allowed_email_domains", ["a.example", "b.example"], "a.example, b.example"],
  ["max_keys_per_account", 5, "5"],
  ["site_requests_per_day", 0, "0"],
  ["site_cost_per_month", 1_250_000, "1.25"],
])("%s survives a round trip through its form", (name, value, text) => {
  const field = fieldOf(name);
  expect(textOf(field, setting(name, value))).toBe(text);
  expect(valueOf(field, text)).toEqual(value);
});

test("an empty field restores the default", () => {
  for (const field of fields) expect(valueOf(field, "")).toBeNull();
  expect(textOf(fieldOf("site_tokens_per_day"), setting("site_tokens_per_day", null))).toBe("");
});

test("numbers and dollars are checked", () => {
  const schema = schemaOf(fields);
  const valid = Object.fromEntries(fields.map(({ name }) => [name, ""]));
  const isValid = (values: Record<string, string>) => schema.safeParse({ ...valid, ...values }).success;
  expect(isValid({})).toBe(true);
  expect(isValid({ max_keys_per_account: " 12 ", site_cost_per_day: "0.000001" })).toBe(true);
  for (const wrong of ["0", "1001", "-1", "2.5", "two"]) expect(isValid({ max_keys_per_account: wrong })).toBe(false);
  for (const wrong of ["1.5", "-1", "a lot"]) expect(isValid({ site_requests_per_day: wrong })).toBe(false);
  expect(isValid({ site_cost_per_day: "0.0000001" })).toBe(false);
});
