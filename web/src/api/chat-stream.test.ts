import { expect, test } from "vitest";
import { chatDeltas } from "./chat-stream";
import { GatewayError } from "./refusal";

function chunk(content: string): string {
  return `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }], usage: null })}\n\n`;
}

const usage = `data: ${JSON.stringify({ choices: [], usage: { total_tokens: 3 } })}\n\n`;
const finish = `data: ${JSON.stringify({ choices: [{ delta: {}, finish_reason: "stop" }] })}\n\n`;
const done = "data: [DONE]\n\n";

/** Split the bytes of a stream every `size` bytes, as a network might. */
function streamOf(text: string, size = Infinity, failure?: Error): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  return new ReadableStream({
    start(controller) {
      for (let from = 0; from < bytes.length; from += size) {
        controller.enqueue(bytes.slice(from, from + size));
      }
      if (failure) controller.error(failure);
      else controller.close();
    },
  });
}

async function read(body: ReadableStream<Uint8Array>) {
  let text = "";
  try {
    for await (const delta of chatDeltas(body)) text += delta;
    return { text };
  } catch (error) {
    return { text, failure: error instanceof GatewayError ? error.failure : error };
  }
}

test.each([1, 2, 7, Infinity])("reads an answer that arrives %d bytes at a time", async (size) => {
  const text = chunk("Grüße, ") + chunk("🎫 世界\n\ndata: x") + finish + usage + done;
  expect(await read(streamOf(text, size))).toEqual({ text: "Grüße, 🎫 世界\n\ndata: x" });
});

test("skips comments and empty deltas", async () => {
  const empty = `data: ${JSON.stringify({ choices: [{ delta: { role: "assistant" } }] })}\n\n`;
  expect(await read(streamOf(`: hold on\n\n${empty}${chunk("a")}${done}`))).toEqual({ text: "a" });
});

test("ends at the finish reason if [DONE] is missing", async () => {
  expect(await read(streamOf(chunk("a") + finish))).toEqual({ text: "a" });
});

test("reports an error in mid-stream and keeps the text before it", async () => {
  const error = `data: ${JSON.stringify({ error: { message: "gone" } })}\n\n`;
  expect(await read(streamOf(chunk("a") + error + done))).toEqual({
    text: "a",
    failure: { kind: "broken", message: "gone" },
  });
});

test("an early end, a lost connection and invalid data are all broken answers", async () => {
  const broken = { text: "a", failure: { kind: "broken", message: "" } };
  expect(await read(streamOf(chunk("a")))).toEqual(broken);
  expect(await read(streamOf(`${chunk("a")}data: {oops\n\n`))).toEqual(broken);
  expect((await read(streamOf("", Infinity, new TypeError("network error")))).failure).toEqual(
    broken.failure,
  );
});

/** A stream that ends only on command. */
function openStream(text: string) {
  let controller!: ReadableStreamDefaultController<Uint8Array>;
  let cancelled = false;
  const body = new ReadableStream<Uint8Array>({
    start: (own) => {
      controller = own;
      own.enqueue(new TextEncoder().encode(text));
    },
    cancel: () => {
      cancelled = true;
    },
  });
  return { body, close: () => controller.close(), isCancelled: () => cancelled };
}

test("ends at [DONE] and lets the response complete", async () => {
  const stream = openStream(chunk("a") + done);
  expect(await read(stream.body)).toEqual({ text: "a" });
  await new Promise((resolve) => setTimeout(resolve));
  expect(stream.isCancelled()).toBe(false);
  stream.close();
});

test("cancels a stream that is no longer read", async () => {
  const stream = openStream(chunk("a") + chunk("b"));
  for await (const delta of chatDeltas(stream.body)) {
    expect(delta).toBe("a");
    break;
  }
  await new Promise((resolve) => setTimeout(resolve));
  expect(stream.isCancelled()).toBe(true);
});
