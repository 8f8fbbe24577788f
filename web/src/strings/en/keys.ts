import { count } from "./count";
import { period } from "./period";
import { figure, quantity, type Measure } from "./quantity";

type Period = string | null;

const left = (measure: Measure, remaining: number, window?: Period) =>
  `${quantity(measure, remaining)} left${period(window)}`;

export const keys = {
  title: "API keys",
  text: "Programs use a key to call the API.",
  ceiling: (perDay: number) => `Your keys share ${count(perDay, "request", "requests")} per day.`,
  firstTitle: "Get your first key",
  newTitle: "New key",
  new: "New key",
  listTitle: "Your keys",
  plan: "Plan",
  planHint: "You can change it later.",
  name: "Name",
  nameHint: "Only you can see it. Describe what the key is for.",
  defaultName: (taken: number) => (taken === 0 ? "My first key" : `Key ${taken + 1}`),
  create: "Create key",
  created: (name: string) => `“${name}” is ready`,
  rotated: (name: string) => `“${name}” has a new key`,
  rotatedGrace: (until: string) => `The old key works until ${until}.`,
  rotatedNow: "The old key no longer works.",
  once: "Copy it now. For your security, it is shown only once.",
  keyLabel: "Your API key",
  copyKey: "Copy key",
  run: "Run your first request",
  inline: "Include key in command",
  done: "Done",
  confirmLeave: "You have not copied the key, and it cannot be shown again. Leave anyway?",
  confirmDone: "You have not copied the key, and it cannot be shown again. Close anyway?",
  closeAnyway: "Close without copying",
  verify: "Verify key",
  verified: (models: number) => `The key works. ${count(models, "model", "models")} available. This check was not counted.`,
  test: "Send a test request",
  testHint: "uses 1 request",
  testPrompt: "Say hello.",
  left,
  /** By the limit's subject. */
  leftOf: {
    key: left,
    account: (measure: Measure, remaining: number, window: Period) =>
      `${left(measure, remaining, window)} across all your keys`,
    site: (measure: Measure, remaining: number, window: Period) =>
      `${left(measure, remaining, window)} across all users`,
  },
  noLimit: "No limit",
  atMost: (limit: string) => `At most ${limit}`,
  used: (measure: Measure, used: number, limit: number, window: Period) =>
    `${figure(measure, used)} of ${quantity(measure, limit)} used${period(window)}`,
  usedUnlimited: (used: number) => `${count(used, "request", "requests")} used today, no limit`,
  resets: (inTime: string, at: string) => `Resets in ${inTime} (${at})`,
  neverResets: "Does not reset",
  neverUsed: "Never used",
  lastUsed: (when: string) => `Last used ${when}`,
  lastUsedNow: "Last used just now",
  ofLimit: (measure: Measure, used: number, limit: number) =>
    `${figure(measure, used)} of ${figure(measure, limit)} used`,
  maximum: (limit: number) =>
    `You have reached the limit of ${count(limit, "key", "keys")}. Delete one you no longer need to create another.`,
  actionOn: (action: string, name: string) => `${action} ${name}`,
  connect: "Connect",
  connectTitle: (name: string) => `Connect “${name}”`,
  connectText: (ends: string) => `The full key (${ends}) was shown once, when it was created. Use your copy, or rotate the key to get a new one.`,
  baseUrl: "Base URL",
  copyBaseUrl: "Copy base URL",
  copyEnv: "Copy as .env",
  exampleKeyHint: (example: string) => `Replace ${example} with your key.`,
  reference: "Read the API reference",
  edit: "Edit",
  editTitle: "Edit key",
  editText: "Changing the plan does not reset today's usage.",
  editTextAws: "A larger plan takes effect at 00:00 UTC, a smaller one immediately. Today's usage is kept.",
  nextPlan: (name: string) => `From 00:00 UTC: ${name}`,
  activating: "Activating",
  activatingTitle: "Activating",
  activatingText: "API Gateway takes a few seconds to activate a new key, and refuses it until then.",
  saved: "Key updated.",
  unchanged: (name: string, reason: string) => `“${name}” was not changed. ${reason}`,
  rotate: "Rotate",
  rotateTitle: "Rotate key",
  rotateText: (name: string) => `“${name}” gets a new key, shown once. Its name, plan and usage stay the same.`,
  noGrace: "The old key stops working immediately.",
  grace: "Keep the old key working for",
  graces: [
    { seconds: 0, label: "Stop immediately" },
    { seconds: 3600, label: "1 hour" },
    { seconds: 86400, label: "24 hours" },
    { seconds: 604800, label: "7 days" },
  ],
  delete: "Delete",
  deleteTitle: (name: string) => `Delete “${name}”?`,
  deleteText:
    "Programs that use this key stop working within a second. Today's usage is kept and counts against your next new key.",
  deleted: "Key deleted.",
  nameMissing: "Enter a name.",
  nameLong: "Use at most 80 characters.",
  planMissing: "Choose a plan.",
  environmentHint: "Reads the key from the environment variable OPENAI_API_KEY.",
};
