import { shellQuoted, type Snippet } from "./snippets";

export function environmentSnippet({ baseUrl, key }: { baseUrl: string; key: string }): Snippet {
  const code = `export OPENAI_BASE_URL=${shellQuoted(baseUrl)}\nexport OPENAI_API_KEY=${shellQuoted(key)}`;
  return { id: "environment", label: "Environment", code };
}

/** Return the same two variables for a `.env` file. */
export function envFile({ baseUrl, key }: { baseUrl: string; key: string }): string {
  return `OPENAI_BASE_URL=${baseUrl}\nOPENAI_API_KEY=${key}\n`;
}

/** Return a command that checks a key's limits. */
export function keyInfoSnippet({ baseUrl, key }: { baseUrl: string; key: string }): string {
  return `curl ${shellQuoted(`${baseUrl}/key`)} -H ${shellQuoted(`x-api-key: ${key}`)}`;
}
