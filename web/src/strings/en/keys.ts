import { count } from "./count";
import { period } from "./period";
import { figure, quantity, type Measure } from "./quantity";

type Period = string | null;

const left = (measure: Measure, remaining: number, window?: Period) =>
  `${quantity(measure, remaining)} left${period(window)}`;

export const keys = {
  title: "API keys",
  text: "A key is what a program shows to use the API.",
  ceiling: (perDay: number) => `All together have ${count(perDay, "request", "requests")} per day.`,
  firstTitle: "Get your first key",
  newTitle: "New key",
  new: "New key",
  listTitle: "Your keys",
  plan: "Plan",
  planHint: "You can change it later.",
  name: "Name",
  nameHint: "Only you see it. Say what the key is for.",
  defaultName: (taken: number) => (taken === 0 ? "My first key" : `Key ${taken + 1}`),
  create: "Create key",
  created: (name: string) => `“${name}” is ready`,
  rotated: (name: string) => `“${name}” has a new key`,
  rotatedGrace: (until: string) => `The old key works until ${until}.`,
  rotatedNow: "The old key no longer works.",
  once: "Copy it now: for your safety it is shown only this once.",
  keyLabel: "Your API key",
  copyKey: "Copy key",
  run: "Run your first request",
  inline: "Key inside the command",
  done: "Done",
  confirmLeave: "You have copied nothing yet, and the key cannot be shown again. Leave all the same?",
  confirmDone: "You have copied nothing yet. The key cannot be shown again. Close all the same?",
  closeAnyway: "Close without copying",
  verify: "Verify key",
  verified: (models: number) => `The key works. ${count(models, "model", "models")} available. Nothing was counted.`,
  test: "Send a test request",
  testHint: "uses 1 request",
  testPrompt: "Say hello.",
  left,
  /** By what the limit holds for. */
  leftOf: {
    key: left,
    account: (measure: Measure, remaining: number, window: Period) =>
      `${left(measure, remaining, window)} for all your keys together`,
    site: (measure: Measure, remaining: number, window: Period) =>
      `${left(measure, remaining, window)} for everybody together`,
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
    `You have ${count(limit, "key", "keys")}, the most an account may have here. Delete one you no longer need to make room.`,
  actionOn: (action: string, name: string) => `${action} ${name}`,
  connect: "Connect",
  connectTitle: (name: string) => `Connect “${name}”`,
  connectText: (ends: string) => `The key itself (${ends}) was shown once, when it was made. Use your copy of it, or rotate the key to get a new one.`,
  baseUrl: "Base URL",
  copyBaseUrl: "Copy base URL",
  copyEnv: "Copy as .env",
  exampleKeyHint: (example: string) => `Put your key in the place of ${example}.`,
  reference: "Read the API reference",
  edit: "Edit",
  editTitle: "Edit key",
  editText: "Changing the plan does not reset what is used today.",
  editTextAws: "A larger plan takes effect at 00:00 UTC, a smaller one at once. What is used today stays used.",
  nextPlan: (name: string) => `From 00:00 UTC: ${name}`,
  activating: "Activating",
  activatingTitle: "Activating",
  activatingText: "API Gateway takes some seconds until it knows a new key everywhere, and refuses it until then.",
  saved: "Key updated.",
  unchanged: (name: string, reason: string) => `“${name}” stays as it was. ${reason}`,
  rotate: "Rotate",
  rotateTitle: "Rotate key",
  rotateText: (name: string) => `“${name}” gets a new key, shown once. Name, plan and today's count stay.`,
  noGrace: "The old key stops at once.",
  grace: "Keep the old key working for",
  graces: [
    { seconds: 0, label: "No time: it stops at once" },
    { seconds: 3600, label: "1 hour" },
    { seconds: 86400, label: "24 hours" },
    { seconds: 604800, label: "7 days" },
  ],
  delete: "Delete",
  deleteTitle: (name: string) => `Delete “${name}”?`,
  deleteText:
    "Programs that use it stop working within a second. What was used today stays used: a new key takes over its count for the day.",
  deleted: "Key deleted.",
  nameMissing: "Give the key a name.",
  nameLong: "Use at most 80 characters.",
  planMissing: "Choose a plan.",
  environmentHint: "Reads the key from the environment variable OPENAI_API_KEY.",
};
