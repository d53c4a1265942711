// Makes a few files of the many into which wasm-split cuts a program.
//
// wasm-split gives each part a file, and each set of parts another one with what just these have in
// common. With a dozen parts that is hundreds of files, most of them of a few hundred bytes. Here
// files are put together as long as that makes first loads smaller.

import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { binaryen, features, inParallel } from "./binaryen.mjs";
import { later, routes } from "./routes.mjs";

const run = promisify(execFile);

// What one more file costs, in bytes of a program that is neither optimised nor compressed: a
// request, and what two files compress worse than one, about 3 kB.
const FILE_COST = 20_000;

/**
 * Puts the files of the parts in `folder` together; some of them become a part of `main`, which
 * every page loads. `parts` has the files of each part; returned is the same for the new files.
 */
export async function mergeFiles(folder, main, parts) {
  const pages = [...routes, ...later];
  // A set of pages is a number with a bit for each.
  const loading = (file) =>
    pages.reduce((set, page, at) => {
      const loads = page.parts.some((part) => parts.get(part).includes(file));
      return loads ? set | (1 << at) : set;
    }, 0);
  const files = [...new Set([...parts.values()].flat())];
  const pieces = files.map((file) => ({
    files: [file],
    size: sizeOf(readFileSync(join(folder, file))),
    pages: loading(file),
  }));
  const everywhere = (1 << pages.length) - 1;
  const all = [{ files: [main], size: 0, pages: everywhere }, ...pieces];
  const groups = group(all, pages.map(({ weight }) => weight));

  const hub = await makeHub(folder, files);
  const merged = new Map([...parts.keys()].map((part) => [part, []]));
  await inParallel([...groups.entries()], async ([index, { files: [first, ...others] }]) => {
    if (first === main) {
      return mergeModules(folder, main, others, main);
    }
    const users = [...parts].filter(([, own]) => [first, ...others].some((file) => own.includes(file)));
    const name = users.length === 1 ? `${users[0][0]}.wasm` : `shared-${index}.wasm`;
    users.forEach(([part]) => merged.get(part).push(name));
    return mergeModules(folder, hub, [first, ...others], name);
  });
  return merged;
}

/** The bytes of a module without the names and notes in it, which are taken out later. */
function sizeOf(bytes) {
  let size = 0;
  for (let at = 8; at < bytes.length; ) {
    const isCustom = bytes[at] === 0;
    let length = 0;
    let shift = 0;
    do {
      at += 1;
      length |= (bytes[at] & 0x7f) << shift;
      shift += 7;
    } while (bytes[at] & 0x80);
    size += isCustom ? 0 : length;
    at += 1 + length;
  }
  return size;
}

/**
 * Puts those two together for which it pays most, again and again. A piece costs its bytes and the
 * price of a file on each page that loads it, according to the weights of the pages.
 */
export function group(pieces, weights) {
  const known = new Map();
  const weightOf = (pages) => {
    if (!known.has(pages)) {
      known.set(pages, weights.reduce((sum, weight, at) => (pages & (1 << at) ? sum + weight : sum), 0));
    }
    return known.get(pages);
  };
  const cost = (pages, size) => weightOf(pages) * (size + FILE_COST);
  const together = (a, b) => ({
    files: [...a.files, ...b.files],
    size: a.size + b.size,
    pages: a.pages | b.pages,
  });
  // What the same pages load belongs together in any case.
  const alike = new Map();
  for (const piece of pieces) {
    const other = alike.get(piece.pages);
    alike.set(piece.pages, other ? together(other, piece) : piece);
  }
  const groups = [...alike.values()];
  for (;;) {
    let best = { saved: 0 };
    for (let i = 1; i < groups.length; i += 1) {
      for (let j = 0; j < i; j += 1) {
        const [a, b] = [groups[j], groups[i]];
        const apart = cost(a.pages, a.size) + cost(b.pages, b.size);
        const saved = apart - cost(a.pages | b.pages, a.size + b.size);
        if (saved > best.saved) {
          best = { saved, i, j };
        }
      }
    }
    if (best.saved === 0) {
      return groups;
    }
    groups[best.j] = together(groups[best.j], groups[best.i]);
    groups.splice(best.i, 1);
  }
}

/**
 * A module that hands on what all files import, the memory, the table and the stack, so that merged
 * they import each once. It knows them by the imports of one file, the largest.
 */
async function makeHub(folder, files) {
  const [largest] = files.filter((file) => file.startsWith("split_"));
  const { stdout } = await run(binaryen("wasm-dis"), [...features, join(folder, largest)], {
    maxBuffer: 1e9,
  });
  const imports = /\(import "__wasm_split" ("\w+") \((\w+) (\$\S+) (.*)\)\)$/gm;
  const lines = [...stdout.matchAll(imports)].map(
    ([, name, kind, id, type]) =>
      `(import "main" ${name} (${kind} ${id} ${type})) (export ${name} (${kind} ${id}))`,
  );
  if (lines.length < 3) {
    throw new Error(`${largest} imports too little: wasm-split links the files in another way`);
  }
  await writeFile(join(folder, "hub.wat"), `(module ${lines.join("\n")})`);
  await run(binaryen("wasm-as"), [
    ...features,
    ...[join(folder, "hub.wat"), "-o", join(folder, "hub.wasm")],
  ]);
  return "hub.wasm";
}

/** Makes one module of `first`, which exports what the others import, and these. */
async function mergeModules(folder, first, others, name) {
  const merged = join(folder, `merged-${name}`);
  const modules = others.flatMap((file) => [join(folder, file), file]);
  await run(binaryen("wasm-merge"), [
    ...features,
    ...[join(folder, first), "__wasm_split", ...modules],
    ...["-o", merged],
  ]);
  await rename(merged, join(folder, name));
}
