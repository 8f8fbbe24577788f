export const nav = {
  label: "Main",
  home: "Daypass, start page",
  keys: "Keys",
  chat: "Chat",
  usage: "Usage",
  docs: "Docs",
  signIn: "Sign in",
  signUp: "Get a key",
  start: "Get your key",
  openKeys: "Go to your keys",
  skip: "Skip to content",
  theme: "Theme",
  themes: { light: "Light", dark: "Dark", system: "System" },
  footer: "Daypass hands out API keys and keeps their limits to the request.",
  footerAws: "Daypass hands out API keys, and AWS API Gateway keeps their limits.",
  apiReference: "API reference",
};

export const enforcedByAws = {
  title: "Limits by AWS API Gateway.",
  text: "Counting is AWS's: best effort, resets at 00:00 UTC.",
};

export const demo = {
  title: "Demo model.",
  text: "The operator has set no upstream key yet, so a built-in demo model answers. Limits count as usual.",
};

export const accountMenu = {
  account: "Account",
  settings: "Account settings",
  operator: "Operator",
  office: "Operator pages",
  signOut: "Sign out",
};
