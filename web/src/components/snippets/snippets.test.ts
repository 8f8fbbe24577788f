import { expect, test } from "vitest";
import { chooseModel, fallbackModel, modelsOfPlan } from "./choose-model";
import { envFile, environmentSnippet } from "./key-commands";
import { snippets } from "./snippets";

const input = { baseUrl: "https://daypass.example/v1", model: "gpt-4o-mini", key: "dp_secret" };

function codeOf(id: string, of = snippets(input)): string {
  return of.find((snippet) => snippet.id === id)?.code ?? "";
}

test("contain this site's address and the key", () => {
  expect(codeOf("curl")).toContain("curl 'https://daypass.example/v1/chat/completions'");
  expect(codeOf("curl")).toContain("'x-api-key: dp_secret'");
  expect(codeOf("python")).toContain(
    'OpenAI(base_url="https://daypass.example/v1", api_key="dp_secret")',
  );
  expect(codeOf("node")).toContain('baseURL: "https://daypass.example/v1"');
});

test("send a JSON body", () => {
  const body = /-d '([^']*)'/.exec(codeOf("curl"))?.[1] ?? "";
  expect(JSON.parse(body)).toMatchObject({ model: "gpt-4o-mini", messages: [{ role: "user" }] });
});

test("read the key from the environment if it must not appear in them", () => {
  for (const { code } of snippets({ ...input, key: null })) expect(code).not.toContain("dp_secret");
  expect(codeOf("curl", snippets({ ...input, key: null }))).toContain('"x-api-key: $OPENAI_API_KEY"');
  expect(envFile(input)).toBe("OPENAI_BASE_URL=https://daypass.example/v1\nOPENAI_API_KEY=dp_secret\n");
  expect(environmentSnippet(input).code).toBe(
    "export OPENAI_BASE_URL='https://daypass.example/v1'\nexport OPENAI_API_KEY='dp_secret'",
  );
});

test.each([false, true])("never send a key to another address (header: %s)", (header) => {
  for (const key of ["dp_secret", null]) {
    for (const { code } of snippets({ ...input, key, header })) {
      expect(code).toContain("https://daypass.example/v1");
    }
  }
});

test("send the key in x-api-key if the gateway reads only that header", () => {
  const behindAws = snippets({ ...input, header: true });
  expect(codeOf("python", behindAws)).toContain('default_headers={"x-api-key": "dp_secret"}');
  expect(codeOf("node", behindAws)).toContain('defaultHeaders: { "x-api-key": "dp_secret" }');
  const environment = snippets({ ...input, header: true, key: null });
  expect(codeOf("python", environment)).toContain('{"x-api-key": os.environ["OPENAI_API_KEY"]}');
  expect(codeOf("node", environment)).toContain('{ "x-api-key": process.env.OPENAI_API_KEY }');
});

test("quote characters that are special in a shell", () => {
  expect(codeOf("curl", snippets({ ...input, model: "it's" }))).toContain(`"it'\\''s"`);
});

test("use a model that can chat", () => {
  expect(chooseModel(["text-embedding-3-small", "gpt-4.1", "gpt-4o-mini"])).toBe("gpt-4o-mini");
  expect(chooseModel(["whisper-1", "llama-3"])).toBe("llama-3");
  expect(chooseModel([])).toBe(fallbackModel);
});

test("a plan matches models by name and by glob", () => {
  const models = ["gpt-4o", "gpt-4o-mini", "GPT-4o", "o3", "o33", "a.b"];
  expect(modelsOfPlan([], models)).toEqual(models);
  expect(modelsOfPlan(["gpt-4o*", "o?", "a.b"], models)).toEqual(["gpt-4o", "gpt-4o-mini", "o3", "a.b"]);
  expect(modelsOfPlan(["gpt-4o*", "small", "[x"], [])).toEqual(["small"]);
});
