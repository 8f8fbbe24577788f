import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import budgets from "./page-budgets.json";

const app = fileURLToPath(new URL("src/app", import.meta.url));

/** The address of a route's file in `app`; directories in parentheses only group routes. */
function addressOf(file: string): string | null {
  if (file === "not-found.tsx") return "/404/";
  const directories = file.split("/").filter((part) => !/^\(.*\)$/.test(part));
  if (!/^page\.(tsx?|jsx?|mdx?)$/.test(directories.pop()!)) return null;
  return ["", ...directories, ""].join("/");
}

it("has a budget for every page, and for no other", () => {
  const files = readdirSync(app, { recursive: true, encoding: "utf8" });
  const pages = files.map(addressOf).filter((address) => address !== null);
  expect(Object.keys(budgets).sort()).toEqual(pages.sort());
});
