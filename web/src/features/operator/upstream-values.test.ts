import { describe, expect, it } from "vitest";
import type { Upstream } from "@/api/types";
import { providerOf, providers, upstreamOf, upstreamSchema, upstreamValues } from "./upstream-values";

const stored: Upstream = {
  id: "ups_1",
  name: "Class server",
  base_url: "http://10.0.0.5:8000/v1",
  auth: "bearer",
  models: ["llama*", "qwen"],
  aliases: { small: "llama-8b" },
  weight: 3,
  priority: 1,
  measure_streams: false,
  has_api_key: true,
  key_last4: "9f3a",
  source: "site",
  place: null,
  problem: null,
  health: { state: "closed", requests: 0, failures: 0, last_failure: null },
};

const problems = (values: object) =>
  upstreamSchema.safeParse({ ...upstreamValues(), ...values }).error?.issues.map(({ path }) => path[0]) ?? [];

describe("the form of an upstream", () => {
  it("returns what it was filled with, and keeps the stored key and the setting of streams", () => {
    const sent = upstreamOf(upstreamSchema.parse(upstreamValues(stored)));
    const { name, base_url, auth, models, aliases, weight, priority } = stored;
    expect(sent).toEqual({ name, base_url, auth, models, aliases, weight, priority });
  });

  it("sends a key without the whitespace around it", () => {
    const values = upstreamSchema.parse({ ...upstreamValues(stored), api_key: " sk-new\n" });
    expect(upstreamOf(values).api_key).toBe("sk-new");
  });

  it.each(["x", "a=", "a=b=c", "=b"])("refuses the alias %j", (aliases) => {
    expect(problems({ aliases })).toEqual(["aliases"]);
  });

  it.each(["", "api.openai.com", "ftp://x/v1", "http://HOST:8000/v1"])("refuses the address %j", (base_url) => {
    expect(problems({ base_url })).toContain("base_url");
  });

  it.each([{ weight: "0" }, { weight: "1001" }, { priority: "-1" }, { priority: "" }])("refuses %j", (values) => {
    expect(problems(values)).toEqual(Object.keys(values));
  });
});

describe("a provider", () => {
  it("is recognised by its address", () => {
    for (const { id, base_url } of providers.slice(0, 5)) expect(providerOf(base_url)).toBe(id);
    expect(providerOf("https://my-school.openai.azure.com/openai/v1")).toBe("azure");
    expect(providerOf("https://llm.example.org/v1")).toBe("other");
    expect(providerOf("not an address")).toBe("other");
  });
});
