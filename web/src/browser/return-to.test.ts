import { expect, test } from "vitest";
import { returnAddress, signInAddress } from "./return-to";

const origin = "https://daypass.example";

test("returns to the interrupted page", () => {
  const search = new URL(signInAddress("/chat/"), origin).search;
  expect(returnAddress(search, origin)).toBe("/chat/");
  expect(returnAddress("?next=%2Fkeys%2F%3Fplan%3D20RequestPerDay", origin)).toBe(
    "/keys/?plan=20RequestPerDay",
  );
});

test("goes to the keys page by default", () => {
  expect(signInAddress("/keys/")).toBe("/sign-in/");
  expect(returnAddress("", origin)).toBe("/keys/");
  expect(returnAddress("", origin, "/operator/")).toBe("/operator/");
  expect(returnAddress("?next=%2Fchat%2F", origin, "/operator/")).toBe("/chat/");
});

test.each(["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", "keys"])(
  "never leads elsewhere: %s",
  (next) => {
    expect(returnAddress(`?next=${encodeURIComponent(next)}`, origin)).toBe("/keys/");
  },
);
