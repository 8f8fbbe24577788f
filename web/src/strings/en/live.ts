import { count } from "./count";

export const live = {
  states: { connecting: "Connecting…", live: "Live", lost: "Connection lost. Trying again…" },
  showNames: "Show names",
  project: "Projector mode",
  leaveProjector: "Leave projector mode",
  requests: "Requests",
  none: "No requests in the last hour. New ones appear here as they come.",
  columns: { time: "Time", who: "Who", key: "Key", plan: "Plan", model: "Model", status: "Status", outcome: "Outcome", tokens: "Tokens", duration: "Duration" },
  someone: "Deleted account",
  seconds: (milliseconds: number) => `${(milliseconds / 1000).toLocaleString("en", { maximumFractionDigits: 1 })} s`,
  active: (people: number) => `${count(people, "person", "people")} active in the last 5 minutes`,
  activeNone: "No one has called in the last 5 minutes.",
  activeMore: (more: number) => `and ${more.toLocaleString("en")} more`,
  activeRequests: (requests: number) => count(requests, "request", "requests"),
  refusals: "Refused or failed",
  refusalsNone: "Nothing in the last hour.",
  ceilings: "Site limits",
  ceilingsNone: "The site has no limits of its own.",
  lastMinute: (requests: number, refused: number) =>
    `${count(requests, "request", "requests")} in the last minute, ${refused.toLocaleString("en")} refused`,
};
