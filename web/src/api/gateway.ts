import { syncClock } from "@/time/clock";
import { failureOf, GatewayError } from "./refusal";

type Target = { baseUrl: string; key: string };

/** Return the models available to the key. Not counted. */
export async function listModels({ baseUrl, key }: Target): Promise<string[]> {
  const response = await call(`${baseUrl}/models`, { headers: { "x-api-key": key } });
  const { data } = (await response.json()) as { data: { id: string }[] };
  return data.map(({ id }) => id);
}

export type TestAnswer = { text: string; remaining: number | null };

/** Send one request as a program would. Counts as one. */
export async function sendTest(
  { baseUrl, key }: Target,
  model: string,
  prompt: string,
): Promise<TestAnswer> {
  const response = await call(`${baseUrl}/chat/completions`, {
    method: "POST",
    headers: { "x-api-key": key, "content-type": "application/json" },
    body: JSON.stringify({ model, messages: [{ role: "user", content: prompt }] }),
  });
  const remaining = response.headers.get("x-ratelimit-remaining-requests");
  const { choices } = (await response.json()) as { choices: { message: { content: string } }[] };
  return {
    text: choices[0]?.message.content ?? "",
    remaining: remaining === null ? null : Number(remaining),
  };
}

async function call(url: string, init: RequestInit): Promise<Response> {
  const response = await fetch(url, { ...init, credentials: "omit" }).catch(() => {
    throw new GatewayError({ kind: "network" });
  });
  syncClock(response);
  if (!response.ok) throw new GatewayError(await failureOf(response));
  return response;
}
