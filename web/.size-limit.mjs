import { readFileSync } from "node:fs";

const budgets = JSON.parse(readFileSync(new URL("page-budgets.json", import.meta.url), "utf8"));

// What a page's HTML has the browser load before it is asked for anything. Old browsers alone load
// the scripts marked `nomodule`; /api/site.js is one line that the backend writes.
function scriptsOf(page) {
  const html = readFileSync(`out${page}index.html`, "utf8");
  const tags = html.match(/<script[^>]*src="[^"]+"[^>]*>/g) ?? [];
  const loaded = tags.filter((tag) => !/nomodule|src="\/api\//i.test(tag));
  return [...new Set(loaded.map((tag) => `out${/src="([^"?]+)/.exec(tag)[1]}`))];
}

export default Object.entries(budgets).map(([page, limit]) => ({
  name: page,
  path: scriptsOf(page),
  gzip: true,
  limit,
}));
