// Puts a `.br` and a `.gz` beside every text of a directory. The server sends these files as they are:
// compressing on the way would hold streams back.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { extname, join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";

const TEXTS = new Set([".css", ".html", ".js", ".json", ".svg", ".txt"]);
const directory = process.argv[2];

for (const name of readdirSync(directory, { recursive: true })) {
  if (!TEXTS.has(extname(name))) continue;
  const text = readFileSync(join(directory, name));
  writeFileSync(join(directory, `${name}.br`), brotliCompressSync(text));
  writeFileSync(join(directory, `${name}.gz`), gzipSync(text, { level: 9 }));
}
