export const docs = {
  title: "API reference",
  lead: "One address serves two APIs: your programs call the gateway with an API key, and this site manages accounts and keys through the portal.",
  contents: "On this page",

  gateway: {
    id: "gateway",
    title: "Gateway",
    text: "An OpenAI-compatible API under `/v1`: chat completions, responses, embeddings, images, audio, files and everything else the upstream offers. JSON, uploads and streams pass through unchanged. Use any OpenAI client with this base URL and your key.",
    textAws: "An OpenAI-compatible API under `/v1`: chat completions, responses, embeddings, images, audio, files and everything else the upstream offers. JSON, uploads of up to 10 MB and streams pass through unchanged. Use any OpenAI client with this base URL, and send your key as `x-api-key`.",
    sections: {
      key: {
        id: "key",
        title: "Base URL and key",
        text: "Send your key as `Authorization: Bearer` (OpenAI clients do this), `x-api-key`, or `api-key` (Azure clients). A request with two different keys is refused.",
        textAws: "Send your key as `x-api-key`. OpenAI clients send `Authorization: Bearer`, which is ignored here, so add the header as in the examples.",
      },
      examples: {
        id: "examples",
        title: "Examples",
        text: "OpenAI clients can also read both from the environment variables `OPENAI_BASE_URL` and `OPENAI_API_KEY`.",
        textAws: "OpenAI clients can also read the base URL and key from the environment variables `OPENAI_BASE_URL` and `OPENAI_API_KEY`. They still need the header.",
      },
      counting: { id: "counting", title: "What counts" },
      headers: {
        id: "headers",
        title: "Response headers",
        text: "Every counted response and every refusal because of a limit reports your tightest limit.",
        textAws: "API Gateway sends no limit headers. Call `GET /v1/key` or open the usage page instead.",
      },
      keyInfo: {
        id: "key-info",
        title: "Check a key's limits",
        text: "`GET /v1/key` returns the key's plan and limits. It is not counted.",
        textAws: "`GET /v1/key` returns the key's plan and limits. It counts like any other call.",
      },
      errors: {
        id: "errors",
        title: "Errors",
        text: "Errors use OpenAI's format, so clients raise their usual exceptions. Errors from the upstream are passed through unchanged. Requests that end in one of the errors below are not counted, except for `upstream_broke_off` and errors with `counted: true`.",
        textAws: "Errors use OpenAI's format, so clients raise their usual exceptions. Errors from the upstream are passed through unchanged. API Gateway still counts the request, unless it refused the request itself.",
      },
      quota: {
        id: "quota",
        title: "Exceeded allowances",
        text: "The response is 429 `insufficient_quota` with `Retry-After` in seconds and `x-should-retry: false`, which tells clients not to retry. The `error` object has the details: `subject` says whether the limit applies to the `key`, `account` or `site`.",
        textAws: "The response is 429 `insufficient_quota` with `x-should-retry: false`, which tells clients not to retry. API Gateway gives no amounts or reset time. See your plan for both.",
      },
    },
    counting: [
      "Every request that the upstream handles counts as one, even if it rejects the request.",
      "`GET /v1/models`, `GET /v1/key` and requests that the gateway refuses are not counted.",
      "Requests that the upstream could not serve are given back: it was unreachable, failed (5xx) or was at its own limit (429). Timeouts count, unless the operator gives them back.",
      "Each day, failures are given back up to ten times your daily limit, or 100 if that is more. After that they count, and the error says so. Limits per minute count every attempt.",
      "A response that is interrupted after it started counts, whichever side ended it.",
      "Days start at 00:00 UTC. A new key inherits what a deleted key used that day.",
    ],
    countingAws: [
      "API Gateway counts every call with a key, including `GET /v1/models`, `GET /v1/key` and calls that the upstream could not serve. Nothing is given back.",
      "It counts on a best-effort basis: a few extra calls may pass when many arrive at once. Responses carry no limit headers.",
      "Send the key as `x-api-key`. `Authorization: Bearer` alone is ignored.",
      "Days start at 00:00 UTC. A new key, or a key moved to another plan, inherits that day's usage. A larger plan takes effect the next day.",
    ],
    headers: [
      { name: "x-ratelimit-limit-requests", text: "The limit." },
      { name: "x-ratelimit-remaining-requests", text: "Requests left after this one." },
      { name: "x-ratelimit-reset-requests", text: "Time until the limit resets, such as `6h12m3s`." },
      { name: "RateLimit-Policy", text: "The same limit in the IETF draft format: `\"day\";q=10;w=86400` means 10 per day (86,400 seconds)." },
      { name: "RateLimit", text: "`\"day\";r=7;t=22323` means 7 left, and 22,323 seconds until the reset." },
      { name: "x-request-id", text: "The request's ID, to quote when you contact the operator. The upstream's ID is in `x-upstream-request-id`." },
    ],
    errors: [
      { status: 400, code: "invalid_json", text: "The body is not a JSON object." },
      { status: 400, code: "invalid_form", text: "The multipart form is invalid, or names the model twice." },
      { status: 401, code: "invalid_api_key", text: "The key is missing, malformed, unknown, deleted or expired, or the request has two different keys." },
      { status: 403, code: "account_disabled", text: "The operator has disabled the account." },
      { status: 403, code: "usage_plan_retired", text: "The key's plan is no longer offered. Choose another on the keys page." },
      { status: 403, code: "endpoint_turned_off", text: "This endpoint is off because it stores objects upstream (files, batches, conversations) or the gateway does not know it. The message names the setting that turns it on." },
      { status: 404, code: "unknown_url", text: "The path does not exist, or the operator has turned it off." },
      { status: 404, code: "model_not_found", text: "The plan does not include this model. The message lists the models it includes." },
      { status: 413, code: "body_too_large", text: "The body is larger than the operator allows." },
      { status: 429, code: "insufficient_quota", text: "An allowance is used up. Do not retry before it resets." },
      { status: 429, code: "rate_limit_exceeded", text: "Too many requests in a short time, or too many open at once. Retry after `Retry-After` (at most 60 seconds). OpenAI clients do this automatically." },
      { status: 502, code: "upstream_unreachable", text: "The upstream cannot be reached." },
      { status: 502, code: "upstream_misconfigured", text: "The upstream rejected the gateway's key or address. Contact the operator." },
      { status: 502, code: "upstream_broke_off", text: "A stream ended early. This error is its last event." },
      { status: 503, code: "quota_unavailable", text: "The limit cannot be checked right now, so the request was not sent upstream." },
      { status: 504, code: "upstream_timeout", text: "The upstream did not answer in time." },
    ],
  },

  portal: {
    id: "portal",
    title: "Portal API",
    text: "A JSON API under `/api`. Sign in with `POST /api/session`, which sets a cookie. Calls that change data must come from this site's own pages, as shown by their `Origin` or `Sec-Fetch-Site` header.",
    document: "OpenAPI document",
    problemsId: "problems",
    problems: "Portal errors",
    problem: "A problem document",
    problemsText: "Every 4xx response from the portal is a problem document (RFC 9457) of type `application/problem+json`.",
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
