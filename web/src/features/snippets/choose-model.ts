const preferred = ["gpt-4o-mini", "gpt-4.1-mini", "gpt-5-mini", "gpt-4o"];

// An upstream lists all it has; these cannot hold a conversation.
const otherTrades = /embed|whisper|tts|dall-e|image|audio|realtime|moderation|transcribe|search|sora/i;

export const fallbackModel = "gpt-4o-mini";

export function chatModels(models: readonly string[]): string[] {
  const able = models.filter((model) => !otherTrades.test(model));
  return able.length > 0 ? able : [...models];
}

/** The model to begin with: one known to be cheap, else the first that can chat. */
export function chooseModel(models: readonly string[]): string {
  const able = chatModels(models);
  return preferred.find((model) => able.includes(model)) ?? able[0] ?? fallbackModel;
}
