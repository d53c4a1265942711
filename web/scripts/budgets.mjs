// What a first visit downloads, as a table, and the limits on it.

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { sizes } from "./compress.mjs";
import { later, routes } from "./routes.mjs";

const kb = (bytes) => bytes / 1000;

/**
 * Prints what each kind of page loads when it is the first one, charts apart, and what the charts
 * are; fails when one of them is over its limit. `parts` has the files of each part of the program.
 */
export async function checkBudgets(folder, { page, charts, parts }) {
  const everywhere = await firstLoad(folder, page);
  const fetched = [...new Set([...parts.values()].flat())].sort();
  const size = new Map();
  for (const name of [...everywhere, ...fetched, charts.slice(1)]) {
    size.set(name, await sizes(join(folder, name)));
  }
  const total = (names) => sum(names.map((name) => size.get(name)));
  const filesOf = (names) => [...new Set(names.flatMap((name) => filesOfPart(parts, name)))];

  everywhere.forEach((name) => row(`  ${name}`, size.get(name)));
  row("every page", total(everywhere));
  fetched.forEach((name) => row(`  ${name}`, size.get(name)));
  const all = routes.map(({ name, parts: needed, limitKb }) => {
    const files = filesOf(needed);
    return row(`${name} (${files.length} more)`, total([...everywhere, ...files]), limitKb);
  });
  for (const { name, parts: needed, limitKb } of later) {
    const [before, ...after] = needed;
    const files = filesOf(after).filter((file) => !filesOf([before]).includes(file));
    const drawing = after.includes("charts") ? [charts.slice(1)] : [];
    all.push(row(`${name} (${files.length + drawing.length} more)`, total([...files, ...drawing]), limitKb));
  }
  const over = all.filter(({ sent, limitKb }) => kb(sent) > limitKb);
  if (over.length > 0) {
    const names = over.map(({ name, limitKb }) => `${name}: ${limitKb} kB`).join(", ");
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

function filesOfPart(parts, part) {
  const files = parts.get(part);
  if (!files) {
    throw new Error(`there is no part “${part}”, only ${[...parts.keys()].join(", ")}`);
  }
  return files;
}

function sum(all) {
  const add = (key) => all.reduce((before, size) => before + size[key], 0);
  return { plain: add("plain"), sent: add("sent") };
}

function row(name, { plain, sent }, limitKb) {
  const figures = [plain, sent].map((bytes) => `${kb(bytes).toFixed(1)} kB`.padStart(11)).join("");
  console.log(`${name.padEnd(52)}${figures}${limitKb ? `  of ${limitKb} kB` : ""}`);
  return { name, plain, sent, limitKb };
}
