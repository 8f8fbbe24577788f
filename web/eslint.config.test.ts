import { fileURLToPath } from "node:url";
import { ESLint } from "eslint";
import { beforeAll, expect, it } from "vitest";

const rules = ["import/no-restricted-paths", "no-restricted-syntax"];
const eslint = new ESLint({
  cwd: fileURLToPath(new URL(".", import.meta.url)),
  ruleFilter: ({ ruleId }) => rules.includes(ruleId),
});

async function problemsOf(filePath: string, code: string): Promise<string[]> {
  const [result] = await eslint.lintText(code, { filePath: `src/${filePath}` });
  return result!.messages.map(({ message }) => message);
}

// Loads the plugins and the TypeScript parser, which is slow on a busy machine.
beforeAll(() => problemsOf("x.ts", ""), 60_000);

it.each([
  ["components/x.ts", 'import "@/features/chat/chat";'],
  ["components/x.ts", 'export * from "../features/chat/chat";'],
  ["features/chat/x.ts", 'import type x from "@/app/fonts";'],
  ["api/x.ts", 'void import("@/components/logo");'],
  ["time/x.ts", 'import "@/features/chat/chat";'],
])("refuses an upward import in %s: %s", async (filePath, code) => {
  expect(await problemsOf(filePath, code)).toEqual([expect.stringContaining("point downwards")]);
});

it("refuses an import of another feature", async () => {
  expect(await problemsOf("features/usage/x.ts", 'import "@/features/chat/chat";')).toEqual([
    expect.stringContaining("never imports another"),
  ]);
});

it.each(["x.ts", "hooks/x.ts", "features/x.ts"])("refuses a file outside every layer: %s", async (filePath) => {
  expect(await problemsOf(filePath, "export {};")).toEqual([
    expect.stringContaining("outside every layer"),
  ]);
});

it.each([
  ["app/x.ts", 'import "@/features/chat/chat";'],
  ["features/chat/x.ts", 'import "./chat"; import "@/components/logo"; import "@/api/site";'],
  ["forms/x.ts", 'import "@/api/problem";'],
])("allows a downward import in %s: %s", async (filePath, code) => {
  expect(await problemsOf(filePath, code)).toEqual([]);
});
