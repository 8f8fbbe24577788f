export const nav = {
  label: "Main",
  home: "home",
  keys: "Keys",
  chat: "Chat",
  usage: "Usage",
  docs: "Docs",
  operator: "Operator",
  signIn: "Sign in",
  signUp: "Get a key",
  start: "Get your key",
  openKeys: "Go to your keys",
  skip: "Skip to content",
  theme: "Theme",
  themes: { light: "Light", dark: "Dark", system: "System" },
  footer: "Daypass issues API keys and enforces their limits exactly.",
  footerAws: "Daypass issues API keys. AWS API Gateway enforces their limits.",
  apiReference: "API reference",
};

export const enforcedByAws = {
  title: "Limits enforced by AWS API Gateway.",
  text: "AWS counts on a best-effort basis. Limits reset at 00:00 UTC.",
};

export const pausedSite = {
  title: "This site is paused.",
  text: "The operator has paused it: calls and the chat are refused and not counted. Keys and limits stay as they are.",
};

export const announcement = { label: "Announcement", dismiss: "Dismiss announcement" };

export const demo = {
  title: "Demo model.",
  text: "No upstream key is set, so a built-in demo model answers. Limits count as usual.",
};

export const accountMenu = {
  account: "Account",
  settings: "Account settings",
  operator: "Operator",
  office: "Operator pages",
  signOut: "Sign out",
};
