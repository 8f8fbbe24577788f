import { expect, test } from "vitest";
import type { UsageRow } from "@/api/types";
import { toCsv } from "./csv";
import { byDay, newestFirst, totalOf } from "./days";

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
    output_tokens: 3,
    ...changes,
  };
}

test("days without use are days too, over a change of summer time as well", () => {
  const now = Date.parse("2026-10-26T00:30:00Z");
  const rows = [row("2026-10-24"), row("2026-10-26", { refused: 4 }), row("2026-10-26"), row("2026-10-01")];
  const days = byDay(rows, 3, now);
  expect(days).toEqual([
    { date: "2026-10-24", requests: 1, refused: 0 },
    { date: "2026-10-25", requests: 0, refused: 0 },
    { date: "2026-10-26", requests: 2, refused: 4 },
  ]);
  expect(totalOf(days)).toEqual({ requests: 3, refused: 4 });
});

test("the table begins with today", () => {
  const rows = [row("2026-10-24"), row("2026-10-26", { api_key_name: "z" }), row("2026-10-26")];
  expect(newestFirst(rows).map(({ date, api_key_name }) => `${date} ${api_key_name}`)).toEqual([
    "2026-10-26 laptop",
    "2026-10-26 z",
    "2026-10-24 laptop",
  ]);
});

test("a spreadsheet gets figures and never a formula", () => {
  const csv = toCsv([row("2026-10-26", { api_key_name: '=1+1, "x"' })]);
  expect(csv.split("\r\n")).toEqual([
    "date,api_key_name,model,via,requests,refused,input_tokens,output_tokens",
    `2026-10-26,"'=1+1, ""x""",demo,api,1,0,2,3`,
    "",
  ]);
});
