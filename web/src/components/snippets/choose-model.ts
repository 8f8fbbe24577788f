const preferred = ["gpt-4o-mini", "gpt-4.1-mini", "gpt-5-mini", "gpt-4o"];

// Upstreams list all their models. These cannot chat.
const otherTrades = /embed|whisper|tts|dall-e|image|audio|realtime|moderation|transcribe|search|sora/i;

export const fallbackModel = "gpt-4o-mini";

/**
 * Return the upstream's models that a plan includes by name or glob, such as `gpt-4o*`.
 * If the upstream's models are unknown, return the plan's exact names.
 */
export function modelsOfPlan(patterns: readonly string[], models: readonly string[]): string[] {
  if (patterns.length === 0) return [...models];
  const included = models.filter((model) => patterns.some((pattern) => matches(pattern, model)));
  return included.length > 0 ? included : patterns.filter((pattern) => !/[*?[]/.test(pattern));
}

function matches(pattern: string, model: string): boolean {
  if (pattern === model) return true;
  const escaped = pattern.replace(/[.+^${}()|\\]/g, "\\$&");
  const glob = escaped.replace(/\*/g, ".*").replace(/\?/g, ".").replace(/\[!/g, "[^");
  try {
    return new RegExp(`^(?:${glob})$`, "s").test(model);
  } catch {
    return false; // an unclosed bracket
  }
}

export function chatModels(models: readonly string[]): string[] {
  const able = models.filter((model) => !otherTrades.test(model));
  return able.length > 0 ? able : [...models];
}

/** Return the default model: a known cheap one, or else the first that can chat. */
export function chooseModel(models: readonly string[]): string {
  const able = chatModels(models);
  return preferred.find((model) => able.includes(model)) ?? able[0] ?? fallbackModel;
}
