import { expect, test } from "vitest";
import type { UsageRow } from "@/api/types";
import { lastDays, newestFirst, stackOf, totalsOf } from "@/components/charts/figures";
import { toCsv } from "./csv";

function row(date: string, changes: Partial<UsageRow> = {}): UsageRow {
  return {
    date,
    api_key_id: "key_1",
    api_key_name: "laptop",
    model: "demo",
    via: "api",
    requests: 1,
    refused: 0,
    input_tokens: 2,
    cached_tokens: 1,
    output_tokens: 3,
    reasoning_tokens: 0,
    audio_tokens: 0,
    cost: 125,
    price: { input: 2.5, cached_input: 1.25, output: 10, per_image: null },
    reserved: { tokens: 7, cost: 0 },
    ...changes,
  };
}

const byKey = ({ api_key_id, api_key_name }: UsageRow) => ({ id: api_key_id, name: api_key_name });

test("days without usage are included, even across a change to summer time", () => {
  const now = Date.parse("2026-10-26T00:30:00Z");
  const rows = [row("2026-10-24"), row("2026-10-26", { refused: 4 }), row("2026-10-26"), row("2026-10-01")];
  const dates = lastDays(3, now);
  expect(dates).toEqual(["2026-10-24", "2026-10-25", "2026-10-26"]);
  const { series, top } = stackOf(rows, dates, byKey, "requests");
  expect(series.map(({ kind, name, values }) => [kind, name, values])).toEqual([
    ["part", "laptop", [1, 0, 2]],
    ["refused", "", [0, 0, 4]],
  ]);
  expect(top).toBe(6);
});

test("tokens are summed without refusals", () => {
  const rows = [row("2026-10-26"), row("2026-10-26", { refused: 4, model: "other" })];
  const { series } = stackOf(rows, ["2026-10-26"], byKey, "tokens");
  expect(series.map(({ name, total }) => [name, total])).toEqual([["laptop", 10]]);
});

test("costs are summed in micro-dollars", () => {
  const rows = [row("2026-10-26"), row("2026-10-26", { cost: 500_000 })];
  const stack = stackOf(rows, ["2026-10-26"], byKey, "cost");
  expect(stack).toMatchObject({ measure: "cost", top: 500_125 });
  expect(totalsOf(rows)).toMatchObject({ cost: 500_125, reservedTokens: 14, reservedCost: 0 });
});

test("keys with the same name stay separate, and small ones are grouped", () => {
  const rows = [1, 2, 3, 4, 5, 6, 7].map((requests) =>
    row("2026-10-26", { api_key_id: `key_${requests}`, requests }),
  );
  const { series } = stackOf(rows, ["2026-10-26"], byKey, "requests");
  expect(series.map(({ kind, total }) => `${kind} ${total}`)).toEqual([
    "part 7",
    "part 6",
    "part 5",
    "part 4",
    "part 3",
    "others 3",
  ]);
});

test("the table starts with today", () => {
  const rows = [row("2026-10-24"), row("2026-10-26", { api_key_name: "z" }), row("2026-10-26")];
  expect(newestFirst(rows).map(({ date, api_key_name }) => `${date} ${api_key_name}`)).toEqual([
    "2026-10-26 laptop",
    "2026-10-26 z",
    "2026-10-24 laptop",
  ]);
});

const figures = "1,0,2,1,3,0,0,7,0.000125,0.000000,input=2.5 cached_input=1.25 output=10";

test.each(["=1+1", "+1", "-1", "@x", "\tx", "\rx", " =1", "＝1"])("a spreadsheet runs no name: %j", (name) => {
  const [, line] = toCsv([row("2026-10-26", { api_key_name: name })]).split("\r\n");
  const cell = name.includes("\r") ? `"'${name}"` : `'${name}`;
  expect(line).toBe(`2026-10-26,${cell},demo,api,${figures}`);
});

test("CSV cells hold figures and never formulas", () => {
  const csv = toCsv([row("2026-10-26", { api_key_name: '=1+1, "x"' })]);
  expect(csv.split("\r\n")).toEqual([
    "date,api_key_name,model,via,requests,refused,input_tokens,cached_tokens,output_tokens," +
      "reasoning_tokens,audio_tokens,reserved_tokens,cost_usd,reserved_cost_usd,price",
    `2026-10-26,"'=1+1, ""x""",demo,api,${figures}`,
    "",
  ]);
});
