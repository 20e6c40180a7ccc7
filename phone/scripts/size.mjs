// Prints what the phone downloads before first use (JS and CSS that the page loads at once), gzipped, and fails above the budget.
import { readFileSync, readdirSync } from "node:fs";
import { gzipSync } from "node:zlib";

const BUDGET_KB = 150;
const dist = new URL("../dist/", import.meta.url);
const html = readFileSync(new URL("index.html", dist), "utf8");
const first = [...html.matchAll(/(?:src|href)="\/phone\/(assets\/[^"]+\.(?:js|css))"/g)].map((match) => match[1]);
const later = readdirSync(new URL("assets/", dist)).map((name) => `assets/${name}`).filter((name) => /\.(js|css)$/.test(name) && !first.includes(name));

const gzipped = (name) => gzipSync(readFileSync(new URL(name, dist)), { level: 9 }).length;
const kb = (bytes) => (bytes / 1024).toFixed(1).padStart(7);
let total = 0;
for (const name of first) {
  total += gzipped(name);
  console.log(`${kb(gzipped(name))} KB  ${name}`);
}
console.log(`${kb(total)} KB gzipped before first use (budget ${BUDGET_KB} KB)`);
for (const name of later) console.log(`${kb(gzipped(name))} KB  ${name} (loaded when needed)`);
if (total > BUDGET_KB * 1024) process.exit(1);
