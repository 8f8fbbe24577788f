import { expect, test } from "vitest";
import type { Setting } from "@/api/types";
import { changesBetween, fieldOf, valuesOf } from "./look-values";

const setting = (name: string, value: unknown) =>
  ({ name, value, default: null, source: "site", place: null, unavailable: null }) as Setting;

const none = valuesOf([]);

test("times are shown in local time and sent as instants", () => {
  const until = "2026-12-01T08:30:00.000Z";
  const values = valuesOf([setting("announcement", { text: "Hi", from: null, until })]);
  expect(values.announcement_until).toMatch(/^2026-1[12]-\d\dT\d\d:\d0$/);
  expect(changesBetween(none, values)).toEqual({ announcement: { text: "Hi", from: null, until } });
});

test("only what has changed is sent, and null for what is emptied", () => {
  const before = valuesOf([
    setting("site_name", "Lab"),
    setting("terms", { text: "Be kind.", version: "1" }),
  ]);
  expect(changesBetween(before, { ...before, site_name: " Lab " })).toEqual({});
  expect(changesBetween(before, { ...before, site_name: "", terms_version: "2" })).toEqual({
    site_name: null,
    terms: { text: "Be kind.", version: "2" },
  });
  expect(changesBetween(before, none)).toEqual({ site_name: null, terms: null });
});

test.each([
  ["#/site_name", "site_name"],
  ["#/terms/version", "terms_version"],
  ["#/terms", "terms_text"],
  ["#/announcement", "announcement_until"],
])("an error at %s belongs to %s", (pointer, field) => expect(fieldOf(pointer)).toBe(field));
