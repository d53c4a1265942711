// What a first visit downloads, as a table, and the limits on it.

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { sizes } from "./compress.mjs";

const firstLoadKb = 450;
const chartsKb = 250;
const kb = (bytes) => bytes / 1000;

/** Prints the sizes and fails when the first load, or the charts, are over their budget. */
export async function checkBudgets(folder, { page, charts }) {
  const first = await total(folder, await firstLoad(folder, page));
  row("first load", first, firstLoadKb);
  const later = await total(folder, [charts.slice(1)]);
  row("charts", later, chartsKb);
  const over = [
    ["first load", first, firstLoadKb],
    ["charts", later, chartsKb],
  ].filter(([, size, limit]) => kb(size.sent) > limit);
  if (over.length > 0) {
    const names = over.map(([name, , limit]) => `${name} (${limit} kB)`).join(", ");
    throw new Error(`over the budget: ${names}`);
  }
}

/** The page and each file of this build that its tags load. */
async function firstLoad(folder, page) {
  const html = await readFile(join(folder, page), "utf8");
  const tags = html.match(/<(?:link|script)\s[^>]*>/g) ?? [];
  const paths = tags.flatMap((tag) => tag.match(/(?:href|src)="\/([^"?#]+)"/)?.[1] ?? []);
  const present = new Set(await readdir(folder));
  return [...new Set([page, ...paths])].filter((name) => present.has(name));
}

async function total(folder, names) {
  const sum = { plain: 0, sent: 0 };
  for (const name of names) {
    const size = await sizes(join(folder, name));
    row(`  ${name}`, size);
    sum.plain += size.plain;
    sum.sent += size.sent;
  }
  return sum;
}

function row(name, { plain, sent }, limit) {
  const figures = [plain, sent].map((bytes) => `${kb(bytes).toFixed(1)} kB`.padStart(11)).join("");
  console.log(`${name.padEnd(52)}${figures}${limit ? `  of ${limit} kB` : ""}`);
}
