export type SnippetInput = {
  baseUrl: string;
  model: string;
  /** Null: the program reads it from the environment variable `OPENAI_API_KEY`. */
  key: string | null;
  /** For a gateway that reads the key only from `x-api-key`, which OpenAI clients do not send. */
  header?: boolean;
};

export type Snippet = { id: string; label: string; code: string };

/** A placeholder for the user's own key. */
export const exampleKey = "dp_your_key";

const prompt = "Say hello.";

/** Return commands that run as pasted. */
export function snippets(input: SnippetInput): Snippet[] {
  return [
    { id: "curl", label: "curl", code: curl(input) },
    { id: "python", label: "Python", code: python(input) },
    { id: "node", label: "Node", code: node(input) },
  ];
}

function curl({ baseUrl, model, key }: SnippetInput): string {
  const body = [
    "{",
    `    "model": ${quoted(model)},`,
    `    "messages": [{"role": "user", "content": ${quoted(prompt)}}]`,
    "  }",
  ].join("\n");
  return [
    `curl ${shellQuoted(`${baseUrl}/chat/completions`)} \\`,
    `  -H ${key === null ? '"x-api-key: $OPENAI_API_KEY"' : shellQuoted(`x-api-key: ${key}`)} \\`,
    `  -H 'content-type: application/json' \\`,
    `  -d ${shellQuoted(body)}`,
  ].join("\n");
}

function python({ baseUrl, model, key, header }: SnippetInput): string {
  const secret = key === null ? 'os.environ["OPENAI_API_KEY"]' : quoted(key);
  const settings = [
    // Always set: without it the client would send the key to OpenAI.
    `base_url=${quoted(baseUrl)}`,
    ...(key === null ? [] : [`api_key=${secret}`]),
    ...(header ? [`default_headers={"x-api-key": ${secret}}`] : []),
  ];
  return `# pip install openai
${header && key === null ? "import os\n" : ""}from openai import OpenAI

client = OpenAI(${header ? `\n    ${settings.join(",\n    ")},\n` : settings.join(", ")})

answer = client.chat.completions.create(
    model=${quoted(model)},
    messages=[{"role": "user", "content": ${quoted(prompt)}}],
)
print(answer.choices[0].message.content)`;
}

function node({ baseUrl, model, key, header }: SnippetInput): string {
  const secret = key === null ? "process.env.OPENAI_API_KEY" : quoted(key);
  const lines = [
    `baseURL: ${quoted(baseUrl)}`,
    ...(key === null ? [] : [`apiKey: ${secret}`]),
    ...(header ? [`defaultHeaders: { "x-api-key": ${secret} }`] : []),
  ];
  const settings = `{\n  ${lines.join(",\n  ")},\n}`;
  return `// npm install openai, then save as hello.mjs
import OpenAI from "openai";

const client = new OpenAI(${settings});

const answer = await client.chat.completions.create({
  model: ${quoted(model)},
  messages: [{ role: "user", content: ${quoted(prompt)} }],
});
console.log(answer.choices[0].message.content);`;
}

// A JSON string is valid in both JavaScript and Python.
function quoted(text: string): string {
  return JSON.stringify(text);
}

export function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
