export const landing = {
  headline: ["One API key.", "A fresh allowance every day."],
  lead: "Sign up, pick a plan, and call the API with the client you already use. Every day brings a new allowance, and you always see what is left of it.",
  seePlans: "See the plans",
  stepsTitle: "How it works",
  steps: [
    { title: "Create an account", text: "An e-mail address and a password. Nothing to install, no card." },
    { title: "Pick a plan, get a key", text: "The key is ready at once, together with commands you can paste and run." },
    { title: "Call the API, or just chat", text: "Any OpenAI client works. So does the chat on this site, with the same allowance." },
  ],
  stepsAws: [
    { title: "Create an account", text: "An e-mail address and a password. Nothing to install, no card." },
    { title: "Pick a plan, get a key", text: "The key is ready within seconds, together with commands you can paste and run." },
    { title: "Call the API, or just chat", text: "Any OpenAI client works once it sends the key as x-api-key. So does the chat on this site, with the same allowance." },
  ],
  plansTitle: "Plans",
  plansText: "The day begins at 00:00 UTC, for everybody. A request that the model could not serve is not counted.",
  plansTextAws: "The day begins at 00:00 UTC, for everybody. Every call with a key counts.",
  snippetText: "Point the OpenAI SDK at this address and use your key. Streaming, tools, embeddings and files pass through unchanged.",
  snippetTextAws: "Point the OpenAI SDK at this address and send your key as x-api-key. Streaming, tools, embeddings and files of up to 10 MB pass through unchanged.",
  factsTitle: "Limits without surprises",
  facts: [
    { title: "Exact", text: "A plan of ten admits ten requests, not nine and not eleven." },
    { title: "Visible", text: "Each answer says in its headers how many requests are left and when the day ends." },
    { title: "Yours alone", text: "Keys are shown once and stored only as hashes. Rotate or delete them at any time." },
  ],
  factsAws: [
    { title: "Kept by AWS", text: "API Gateway counts each key by its plan. It does so by best effort: a few calls more may pass when many come at once." },
    { title: "Visible", text: "Your keys and your usage, by day and model, on one page." },
    { title: "Yours alone", text: "Keys are shown once and stored here only as hashes. Rotate or delete them at any time." },
  ],
};
