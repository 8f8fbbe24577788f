export const landing = {
  headline: ["One API key.", "A fresh allowance every day."],
  lead: "Sign up, pick a plan, and call the API with the client you already use. Your allowance renews every day, and you always see how much is left.",
  seePlans: "See plans",
  stepsTitle: "How it works",
  steps: [
    { title: "Create an account", text: "All you need is an e-mail address and a password. Nothing to install, no card." },
    { title: "Pick a plan, get a key", text: "Your key is ready immediately, with commands you can paste and run." },
    { title: "Call the API, or just chat", text: "Use any OpenAI client or the chat on this site. Both share one allowance." },
  ],
  stepsAws: [
    { title: "Create an account", text: "All you need is an e-mail address and a password. Nothing to install, no card." },
    { title: "Pick a plan, get a key", text: "Your key is ready within seconds, with commands you can paste and run." },
    { title: "Call the API, or just chat", text: "Use any OpenAI client that sends the key as x-api-key, or the chat on this site. Both share one allowance." },
  ],
  plansTitle: "Plans",
  plansText: "Days start at 00:00 UTC for everyone. Requests that the model could not serve are not counted.",
  plansTextAws: "Days start at 00:00 UTC for everyone. Every call with a key counts.",
  snippetText: "Point the OpenAI SDK at this address and use your key. Streaming, tools, embeddings and audio pass through unchanged.",
  snippetTextAws: "Point the OpenAI SDK at this address and send your key as x-api-key. Streaming, tools, embeddings and files of up to 10 MB pass through unchanged.",
  factsTitle: "Limits without surprises",
  facts: [
    { title: "Exact", text: "A plan of ten allows ten requests. Not nine, not eleven." },
    { title: "Visible", text: "Response headers show how many requests are left and when the limit resets." },
    { title: "Yours alone", text: "Keys are shown once and stored only as hashes. Rotate or delete them anytime." },
  ],
  factsAws: [
    { title: "Enforced by AWS", text: "API Gateway counts each key against its plan on a best-effort basis: a few extra calls may pass when many arrive at once." },
    { title: "Visible", text: "See your keys and your usage by day and model." },
    { title: "Yours alone", text: "Keys are shown once and stored here only as hashes. Rotate or delete them anytime." },
  ],
};
