// What a first visit downloads, as a table, and the limits on it.

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { sizes } from "./compress.mjs";

// The first two are goals. Those of the other pages hold what has been reached: they are a little
// above it, and go down with it.
const limitsKb = { first: 450, charts: 250, dashboards: 645, pipelines: 605 };
const kb = (bytes) => bytes / 1000;

/**
 * Prints what each kind of page loads when it is the first one, charts apart, and fails when one of
 * them, or the charts, are over their budget. `parts` has the files of each part of the program.
 */
export async function checkBudgets(folder, { page, charts, parts }) {
  const first = await total(folder, await firstLoad(folder, page));
  const all = [row("first load: / and /login", first, limitsKb.first)];
  for (const part of ["dashboards", "pipelines"]) {
    const later = await total(folder, filesOf(parts, part));
    all.push(row(`first load: /${part}/…`, sum([first, later]), limitsKb[part]));
  }
  all.push(row("charts", await total(folder, [charts.slice(1)]), limitsKb.charts));
  const over = all.filter(({ sent, limit }) => kb(sent) > limit);
  if (over.length > 0) {
    const names = over.map(({ name, limit }) => `${name} (${limit} kB)`).join(", ");
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

function filesOf(parts, part) {
  const files = parts.get(part);
  if (!files) {
    throw new Error(`there is no part “${part}”, only ${[...parts.keys()].join(", ")}`);
  }
  return files;
}

/** The size of some files together; each is printed. */
async function total(folder, names) {
  const all = [];
  for (const name of names) {
    all.push(row(`  ${name}`, await sizes(join(folder, name))));
  }
  return sum(all);
}

function sum(all) {
  const add = (key) => all.reduce((before, size) => before + size[key], 0);
  return { plain: add("plain"), sent: add("sent") };
}

function row(name, { plain, sent }, limit) {
  const figures = [plain, sent].map((bytes) => `${kb(bytes).toFixed(1)} kB`.padStart(11)).join("");
  console.log(`${name.padEnd(52)}${figures}${limit ? `  of ${limit} kB` : ""}`);
  return { name, plain, sent, limit };
}
