// Splits the program into the part of the first load and the parts that are fetched later.
//
// Trunk knows nothing of this: it runs wasm-bindgen on the whole program. What it made is replaced
// here by wasm-split's and wasm-bindgen's work on the linker's own output, which still has the
// relocations that say what each function needs (`--emit-relocs` in .cargo/config.toml). The split
// points are in web/src/parts/split.rs.

import { execFile } from "node:child_process";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { inParallel, optimise } from "./binaryen.mjs";
import { mergeFiles } from "./chunks.mjs";
import { web, writeHashed } from "./files.mjs";
import { loaderScript, loads } from "./loader.mjs";
import { shortenNames } from "./names.mjs";

const run = promisify(execFile);
const name = "dash-web";

/**
 * Replaces the program that Trunk wrote into the page's folder. Returns the files of each part that
 * is fetched later.
 */
export async function splitProgram(page) {
  const [program] = page.html.match(/dash-web-[0-9a-f]+(?=_bg\.wasm)/) ?? [];
  if (!program) {
    throw new Error(`${page.name} does not load ${name}`);
  }
  const work = await mkdtemp(join(tmpdir(), "dash-split-"));
  try {
    const modules = join(work, "modules");
    const bound = join(work, "bound");
    await run("wasm-split-cli", [await linked(), modules, "--out-name", name]);
    await run("wasm-bindgen", [
      ...["--target", "web", "--no-typescript", "--keep-lld-exports"],
      ...["--out-dir", bound, "--out-name", name, join(modules, `${name}.wasm`)],
    ]);
    await cp(join(bound, `${name}_bg.wasm`), join(modules, "main.wasm"));
    const split = filesOfParts(await readFile(join(modules, "__wasm_split.js"), "utf8"));
    const parts = await mergeFiles(modules, "main.wasm", split);
    const files = ["main.wasm", ...new Set([...parts.values()].flat())];
    await inParallel(files, (file) => optimise(join(modules, file)));
    return await install(page, program, { modules, bound, parts });
  } finally {
    await rm(work, { recursive: true });
  }
}

/** The linker's output, where Cargo leaves it for the profile that Trunk.toml names. */
async function linked() {
  const { stdout } = await run("cargo", ["metadata", "--format-version=1", "--no-deps", "--offline"], {
    cwd: web,
    maxBuffer: 64e6,
  });
  const target = JSON.parse(stdout).target_directory;
  return join(target, "wasm32-unknown-unknown", "web", `${name}.wasm`);
}

async function install(page, program, { modules, bound, parts }) {
  // The parts, under hashed names.
  const hashed = new Map();
  for (const file of new Set([...parts.values()].flat())) {
    const content = await readFile(join(modules, file));
    hashed.set(file, await writeHashed(page.folder, file, content));
  }
  const installed = [...parts].map(([part, files]) => [part, files.map((file) => hashed.get(file))]);

  // The first part, under new names: its content is not what Trunk hashed.
  const { script, module } = await shortenNames(
    await readFile(join(bound, `${name}.js`), "utf8"),
    await readFile(join(modules, "main.wasm")),
  );
  const wasm = await writeHashed(page.folder, `${name}_bg.wasm`, module);
  await rm(join(page.folder, `${program}_bg.wasm`));
  page.html = page.html.replaceAll(`${program}_bg.wasm`, wasm);

  // The scripts; they are bundled, with whatever they import, into the page's one script.
  await rm(join(page.folder, "snippets"), { recursive: true, force: true });
  await cp(join(bound, "snippets"), join(page.folder, "snippets"), { recursive: true }).catch(() => {});
  await writeFile(join(page.folder, `${program}.js`), withOneLoader(script));
  const loader = loaderScript(`${program}.js`, installed);
  await writeFile(join(page.folder, "__wasm_split.js"), loader);
  return new Map(installed);
}

/** wasm-bindgen imports the script that fetches parts once for each function of it. */
function withOneLoader(script) {
  const seen = new Set();
  const isNew = (line) => {
    const known = line.replace(/\d+/, "").replace(/,$/, "");
    return !seen.has(known) && seen.add(known);
  };
  const isLoader = (line) => line.includes('"./__wasm_split.js"');
  return script.split("\n").filter((line) => !isLoader(line) || isNew(line)).join("\n");
}

/**
 * What wasm-split's script fetches for each part: its own file, and the chunks that it shares with
 * other parts. The script calls `makeLoad` for each file, with the chunks to load before it.
 */
export function filesOfParts(script) {
  const load = /\b(\w+) = (?:wrapAsyncCb\()?makeLoad\(.*?"\.\/([^"]+\.wasm)".*?\[([^\]]*)\]\)/gs;
  const files = new Map();
  for (const [, name, file, before] of script.matchAll(load)) {
    const chunks = before.match(/\w+/g) ?? [];
    files.set(name, [...new Set([...chunks.flatMap((chunk) => files.get(chunk)), file])]);
  }
  const known = new Set([...files.values()].flat());
  const fetched = script.match(/[\w-]+\.wasm/g) ?? [];
  if (fetched.length === 0 || fetched.some((file) => !known.has(file))) {
    throw new Error("wasm-split writes its script in another way: filesOfParts cannot read it");
  }
  const prefix = loads("");
  const parts = [...files].filter(([name]) => name.startsWith(prefix));
  return new Map(parts.map(([name, names]) => [name.slice(prefix.length), names]));
}
