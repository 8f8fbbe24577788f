export const docs = {
  title: "API reference",
  lead: "Two interfaces at one address: the gateway, which your programs call with a key, and the portal, with which this site manages accounts and keys.",
  contents: "On this page",

  gateway: {
    id: "gateway",
    title: "The gateway",
    text: "An OpenAI API under `/v1`: chat completions, responses, embeddings, images, audio, files and all else that the upstream offers, with JSON, uploads and streams passed on unchanged. Any OpenAI client works once it has this base URL and a key.",
    textAws: "An OpenAI API under `/v1`: chat completions, responses, embeddings, images, audio, files and all else that the upstream offers, with JSON, uploads of up to 10 MB and streams passed on unchanged. Any OpenAI client works once it has this base URL and sends the key as `x-api-key`.",
    sections: {
      key: {
        id: "key",
        title: "Base URL and key",
        text: "Send your key as `Authorization: Bearer`, which is what the OpenAI clients do, as `x-api-key`, or as `api-key`, which Azure's clients send. Two different keys in one request are refused.",
        textAws: "Send your key as `x-api-key`. The OpenAI clients send `Authorization: Bearer`, which is not read here: give them the header, as in the examples.",
      },
      examples: {
        id: "examples",
        title: "Examples",
        text: "The OpenAI clients also read both from the environment, as `OPENAI_BASE_URL` and `OPENAI_API_KEY`.",
        textAws: "The OpenAI clients also read base URL and key from the environment, as `OPENAI_BASE_URL` and `OPENAI_API_KEY`. They need the header all the same.",
      },
      counting: { id: "counting", title: "What counts" },
      headers: {
        id: "headers",
        title: "Headers of an answer",
        text: "Success or not, each counted answer and each refusal for a limit says where you stand, for the limit with the least room.",
        textAws: "API Gateway says in no header where you stand: `GET /v1/key` and the usage page do.",
      },
      keyInfo: {
        id: "key-info",
        title: "What is left of a key",
        text: "`GET /v1/key` answers with the key's plan and each of its limits. It counts nothing.",
        textAws: "`GET /v1/key` answers with the key's plan and each of its limits. It counts as every call does.",
      },
      errors: {
        id: "errors",
        title: "Errors",
        text: "In OpenAI's shape, so that its clients raise their usual exceptions. Errors of the upstream itself arrive as it sent them. A request that ended with one of these is not counted, except for `upstream_broke_off` and where the error says that it was: then `counted` is `true`.",
        textAws: "In OpenAI's shape, so that its clients raise their usual exceptions. Errors of the upstream itself arrive as it sent them. API Gateway has counted the request all the same, unless it refused it itself.",
      },
      quota: {
        id: "quota",
        title: "A used-up allowance",
        text: "The answer is 429 `insufficient_quota` with `Retry-After` in seconds, and `x-should-retry: false`, so that clients do not try again in vain. Further members of `error` give the figures: `subject` is what the limit holds for, `key`, `account` or `site`.",
        textAws: "The answer is 429 `insufficient_quota` with `x-should-retry: false`, so that clients do not try again in vain. API Gateway gives no figures and no time: how much and how long is the plan's to say.",
      },
    },
    counting: [
      "Every request that the upstream serves counts as one, its own complaints about a request included.",
      "`GET /v1/models` and `GET /v1/key` count nothing, and neither does a request that the gateway refuses.",
      "What the upstream did not serve is given back: it was away, failed (5xx) or was at its own limit (429). What it received but did not answer in time counts, unless the operator gives time-outs back.",
      "Failures are given back up to ten times your daily limit a day, and at least 100; after that they count, and the error says so. A limit per minute counts every attempt.",
      "An answer that breaks off after it began stays counted, whichever side broke it off.",
      "Days begin at 00:00 UTC. A new key takes over what a deleted one used on that day.",
    ],
    countingAws: [
      "API Gateway counts every call with a key, `GET /v1/models` and `GET /v1/key` and what the upstream did not serve included. It gives nothing back.",
      "It counts by best effort: a few calls more may pass when many come at once. Its answers carry no headers about what is left.",
      "The key goes in `x-api-key`; `Authorization: Bearer` alone is not read.",
      "Days begin at 00:00 UTC. A new key, or one in another plan, takes over what was used on that day. A larger plan takes effect when the next day begins.",
    ],
    headers: [
      { name: "x-ratelimit-limit-requests", text: "The limit." },
      { name: "x-ratelimit-remaining-requests", text: "Requests left, this one already taken off." },
      { name: "x-ratelimit-reset-requests", text: "Time until the limit resets, such as `6h12m3s`." },
      { name: "RateLimit-Policy", text: "The same limit in the form of the IETF's draft: `\"day\";q=10;w=86400` is 10 in a day of 86,400 seconds." },
      { name: "RateLimit", text: "`\"day\";r=7;t=22323`: 7 left, and 22,323 seconds until the reset." },
      { name: "x-request-id", text: "Names the request when you ask the operator about it. The upstream's own is in `x-upstream-request-id`." },
    ],
    errors: [
      { status: 400, code: "invalid_json", text: "The body is not a JSON object." },
      { status: 400, code: "invalid_form", text: "The multipart form cannot be read, or names its model twice." },
      { status: 401, code: "invalid_api_key", text: "The key is missing, malformed, unknown, deleted or expired, or the two headers hold two keys." },
      { status: 403, code: "account_disabled", text: "The operator has disabled the account." },
      { status: 403, code: "usage_plan_retired", text: "The key's plan is no longer offered. Choose another on the keys page." },
      { status: 403, code: "endpoint_turned_off", text: "The operator has not turned this endpoint on: it stores objects upstream (files, batches, conversations), or the gateway does not know it. The message names the setting." },
      { status: 404, code: "unknown_url", text: "There is no such path, or the operator has turned it off." },
      { status: 404, code: "model_not_found", text: "The plan does not include this model. The message lists those that it does." },
      { status: 413, code: "body_too_large", text: "The body is larger than the operator allows." },
      { status: 429, code: "insufficient_quota", text: "An allowance is used up until it resets. Do not retry before." },
      { status: 429, code: "rate_limit_exceeded", text: "Requests follow each other too fast. Retry after `Retry-After`, at most 60 seconds; the clients do so by themselves." },
      { status: 502, code: "upstream_unreachable", text: "The upstream cannot be reached." },
      { status: 502, code: "upstream_misconfigured", text: "The upstream refused the gateway's own key or address, which is for the operator to mend." },
      { status: 502, code: "upstream_broke_off", text: "A stream ended half-way; this is its last event." },
      { status: 503, code: "quota_unavailable", text: "The limit cannot be checked right now, so nothing was passed on." },
      { status: 504, code: "upstream_timeout", text: "The upstream did not answer in time." },
    ],
  },

  portal: {
    id: "portal",
    title: "The portal API",
    text: "JSON under `/api`, for which you sign in: `POST /api/session` sets a cookie. Calls that change something must come from this site's own pages, by their `Origin` or `Sec-Fetch-Site` header.",
    document: "OpenAPI document",
    problemsId: "problems",
    problems: "Problems",
    problem: "A problem document",
    problemsText: "Every 4xx answer of the portal itself is a problem document (RFC 9457), `application/problem+json`.",
    parameters: "Parameters",
    body: "Request body",
    response: "Response",
    listOf: (what: string) => `A list. ${what}`,
  },

  schema: {
    required: "required",
    or: " or ",
    arrayOf: (type: string) => `array of ${type}`,
    length: (least: number | undefined, most: number | undefined) => `${range(least, most)} characters`,
    range,
    initially: (value: string) => `default ${value}`,
    always: (value: string) => `always ${value}`,
  },
};

function range(least: number | undefined, most: number | undefined): string {
  if (most === undefined) return `at least ${least}`;
  return least === undefined ? `at most ${most}` : `${least} to ${most}`;
}
