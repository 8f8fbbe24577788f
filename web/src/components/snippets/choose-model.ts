const preferred = ["gpt-4o-mini", "gpt-4.1-mini", "gpt-5-mini", "gpt-4o"];

// An upstream lists all it has; these cannot hold a conversation.
const otherTrades = /embed|whisper|tts|dall-e|image|audio|realtime|moderation|transcribe|search|sora/i;

export const fallbackModel = "gpt-4o-mini";

/**
 * The models of an upstream that a plan includes, which names them or has globs such as `gpt-4o*`.
 * Where none is known, the names that the plan has in full.
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
    return false; // a bracket that nothing closes
  }
}

export function chatModels(models: readonly string[]): string[] {
  const able = models.filter((model) => !otherTrades.test(model));
  return able.length > 0 ? able : [...models];
}

/** The model to begin with: one known to be cheap, else the first that can chat. */
export function chooseModel(models: readonly string[]): string {
  const able = chatModels(models);
  return preferred.find((model) => able.includes(model)) ?? able[0] ?? fallbackModel;
}
