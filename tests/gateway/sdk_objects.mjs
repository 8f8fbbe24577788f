// Prints what the official SDK makes of each call: node sdk_objects.mjs BASE_URL KEY CALLS
import { createRequire } from "node:module";

const [base, key, calls, from] = process.argv.slice(2);
const OpenAI = createRequire(from)("openai").default;
const client = new OpenAI({ baseURL: base, apiKey: key, maxRetries: 0 });
const found = [];
for (const [resource, body] of JSON.parse(calls)) {
  const at = resource.split(".").reduce((owner, name) => owner[name], client);
  const answer = await at.create(body);
  if (!body.stream) found.push(answer);
  else for await (const event of answer) found.push(event);
}
console.log(JSON.stringify(found));
