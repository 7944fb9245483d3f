// What is fetched before the first question must stay small: the entry and all it imports at once, gzipped.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const limit = 60 * 1024;
const page = readFileSync("dist/index.html", "utf8");
const files = [...page.matchAll(/(?:src|href)="(\/assets\/[^"]+\.js)"/g)].map((match) => match[1]);
const bytes = files.reduce((sum, file) => sum + gzipSync(readFileSync("dist" + file)).length, 0);
console.log(`initial JavaScript: ${(bytes / 1024).toFixed(1)} KB gzipped in ${files.length} files (limit ${limit / 1024} KB)`);
if (!files.length || bytes > limit) process.exit(1);
