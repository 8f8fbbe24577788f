import { expect, test } from "vitest";
import type { SiteUsage } from "@/api/types";
import { spendBy } from "./spend";

function row(date: string, model: string, cost: number): SiteUsage["days"][number] {
  return {
    date,
    model,
    requests: 2,
    refused: 1,
    input_tokens: 10,
    cached_tokens: 10,
    output_tokens: 5,
    reasoning_tokens: 5,
    audio_tokens: 0,
    cost,
    price: null,
    reserved: { tokens: 9, cost: 9 },
  };
}

const rows = [row("2026-11-28", "a", 1), row("2026-11-28", "b", 5), row("2026-11-27", "a", 2)];

test("days keep their order, and token details are not added twice", () => {
  expect(spendBy(rows, "date")).toEqual([
    { name: "2026-11-28", requests: 4, refused: 2, tokens: 30, cost: 6 },
    { name: "2026-11-27", requests: 2, refused: 1, tokens: 15, cost: 2 },
  ]);
});
