import { EventSourceParserStream } from "eventsource-parser/stream";
import { syncClock } from "@/time/clock";
import { heldKey } from "./held-keys";
import { failureOf, GatewayError } from "./refusal";

export type ChatMessage = { role: "user" | "assistant"; content: string };

export type ChatRequest = {
  api_key_id: string;
  model: string;
  temperature?: number;
  messages: (ChatMessage | { role: "system"; content: string })[];
};

/** Yield the response piece by piece. Never retried, because every attempt may count. */
export async function* streamChat(
  request: ChatRequest,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const { api_key_id, ...asked } = request;
  const held = heldKey(api_key_id);
  // Send the key itself under AWS, which counts only calls with a key. Otherwise use the session.
  const address = held ? `${held.baseUrl}/chat/completions` : "/api/chat/completions";
  const response = await fetch(address, {
    method: "POST",
    credentials: held ? "omit" : "same-origin",
    headers: { "content-type": "application/json", ...(held && { "x-api-key": held.key }) },
    body: JSON.stringify({
      ...(held ? asked : request),
      stream: true,
      stream_options: { include_usage: true },
    }),
    signal,
  }).catch((error: unknown) => {
    if (signal.aborted) throw error;
    throw new GatewayError({ kind: "network" });
  });
  syncClock(response);
  if (!response.ok) throw new GatewayError(await failureOf(response));
  if (!response.body) throw brokenOff();
  yield* chatDeltas(response.body);
}

type Chunk = {
  error?: { message?: string };
  choices?: { delta?: { content?: string | null }; finish_reason?: string | null }[];
};

/** Read OpenAI's event stream. Throws if it ends before the response does. */
export async function* chatDeltas(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const events = body
    .pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>)
    .pipeThrough(new EventSourceParserStream())
    .getReader();
  let finished = false;
  try {
    while (true) {
      const { done, value } = await events.read().catch((error: unknown) => {
        throw isAbort(error) ? error : brokenOff();
      });
      finished ||= value?.data === "[DONE]";
      if (value?.data === "[DONE]" || (done && finished)) return;
      if (done) throw brokenOff();
      const chunk = parse(value.data);
      if (chunk.error) throw brokenOff(chunk.error.message);
      const choice = chunk.choices?.[0];
      // Some upstreams close without [DONE]. A finish reason is enough.
      finished ||= Boolean(choice?.finish_reason);
      if (choice?.delta?.content) yield choice.delta.content;
    }
  } finally {
    // Read to the end: browsers report a request as failed if its remainder is cancelled.
    void (finished ? drain(events) : events.cancel()).catch(() => {});
  }
}

async function drain(reader: ReadableStreamDefaultReader<unknown>): Promise<void> {
  while (!(await reader.read()).done);
}

function parse(data: string): Chunk {
  try {
    return JSON.parse(data) as Chunk;
  } catch {
    throw brokenOff();
  }
}

function brokenOff(message = ""): GatewayError {
  return new GatewayError({ kind: "broken", message });
}

function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}
