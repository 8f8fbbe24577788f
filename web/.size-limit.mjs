import { readFileSync } from "node:fs";

// What a page's HTML has the browser load before it is asked for anything. Old browsers alone load
// the scripts marked `nomodule`; /api/site.js is one line that the backend writes.
function scriptsOf(page) {
  const html = readFileSync(`out/${page}index.html`, "utf8");
  const tags = html.match(/<script[^>]*src="[^"]+"[^>]*>/g) ?? [];
  const loaded = tags.filter((tag) => !/nomodule|src="\/api\//i.test(tag));
  return [...new Set(loaded.map((tag) => `out${/src="([^"?]+)/.exec(tag)[1]}`))];
}

const budgets = {
  "": "160 kB",
  "docs/": "160 kB",
  "sign-in/": "220 kB",
  "sign-up/": "220 kB",
  "forgot-password/": "220 kB",
  "reset-password/": "220 kB",
  "confirm/": "220 kB",
  "keys/": "220 kB",
  "usage/": "220 kB",
  "account/": "220 kB",
  "operator/": "220 kB",
  "operator/people/": "220 kB",
  "operator/keys/": "220 kB",
  "operator/plans/": "220 kB",
  "operator/sign-up/": "220 kB",
  "operator/audit-log/": "220 kB",
  "chat/": "260 kB",
};

export default Object.entries(budgets).map(([page, limit]) => ({
  name: `/${page}`,
  path: scriptsOf(page),
  gzip: true,
  limit,
}));
