import { describe, expect, it } from "vitest";
import { readState, resort, sorted, writeState } from "./table-state";

const columns = { name: "asc", used: "desc" } as const;
const read = (query: string) => readState(new URLSearchParams(query), columns, "used", 50);
const write = (query: string, change: object) =>
  writeState(new URLSearchParams(query), { ...read(query), ...change }, columns, "used", 50);

describe("a table's state in the address", () => {
  it("has defaults", () => {
    expect(read("")).toEqual({ search: "", sort: "used", order: "desc", offset: 0 });
    expect(read("sort=name")).toMatchObject({ sort: "name", order: "asc" });
  });

  it("round-trips", () => {
    const state = { search: "a&b=c", sort: "name" as const, order: "desc" as const, offset: 100 };
    expect(read(write("", state))).toEqual(state);
  });

  it("omits defaults and keeps other parameters", () => {
    expect(write("by=day&sort=name&page=3", { sort: "used", order: "desc", offset: 0 })).toBe("?by=day");
    expect(write("search=x", { search: "" })).toBe("");
  });

  it.each(["sort=toString&order=up&page=0", "page=-1", "page=1.5", "page=1e9", "page=x", "sort=__proto__"])(
    "ignores %s",
    (query) => expect(read(query)).toEqual(read("")),
  );
});

describe("sorting", () => {
  it("reverses the current column and starts another one in its own direction", () => {
    expect(resort({ sort: "name", order: "asc" }, "name", columns)).toEqual({ sort: "name", order: "desc" });
    expect(resort({ sort: "name", order: "asc" }, "used", columns)).toEqual({ sort: "used", order: "desc" });
  });

  it("compares numbers as numbers, and null as the smallest", () => {
    const by = (rows: (string | number | null)[], order: "asc" | "desc") => sorted(rows, (row) => row, order);
    expect(by([10, null, 9], "asc")).toEqual([null, 9, 10]);
    expect(by([10, null, 9], "desc")).toEqual([10, 9, null]);
    expect(by(["b10", "b9", "A"], "asc")).toEqual(["A", "b9", "b10"]);
  });
});
