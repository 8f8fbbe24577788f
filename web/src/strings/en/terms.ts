export const terms = {
  title: "Terms",
  version: (version: string) => `Version ${version}.`,
  none: "This site has no terms of its own.",
  accept: "I have read and accept the",
  acceptLink: "terms of this site",
  missing: "Accept the terms to create an account.",
  firstTitle: "Accept the terms to go on",
  newTitle: "The terms have changed",
  gateText: "Read and accept them to use this site's pages. Your API keys keep working meanwhile.",
  acceptButton: "Accept the terms",
  openPage: "Open as a page",
};
