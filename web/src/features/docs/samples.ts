const resetsAt = "2026-11-25T00:00:00Z";

export const keyInfo = JSON.stringify(
  {
    object: "api_key",
    id: "key_…",
    usage_plan: {
      id: "10RequestPerDay",
      name: "10 requests per day",
      max_output_tokens: null,
      max_concurrent_requests: 2,
      max_key_days: null,
      models: [],
    },
    expires_at: null,
    limits: [
      {
        subject: "key",
        measure: "requests",
        window: "day",
        limit: 10,
        used: 3,
        remaining: 7,
        resets_at: resetsAt,
      },
    ],
    concurrent_requests: { limit: 2, used: 1 },
  },
  null,
  2,
);

export const quotaError = JSON.stringify(
  {
    error: {
      message: `This API key has reached its limit of 10 requests per day (usage plan 10RequestPerDay). It resets at ${resetsAt}. This request was not counted.`,
      type: "insufficient_quota",
      param: null,
      code: "insufficient_quota",
      measure: "requests",
      limit: 10,
      used: 10,
      window: "day",
      subject: "key",
      usage_plan_id: "10RequestPerDay",
      resets_at: resetsAt,
    },
  },
  null,
  2,
);
