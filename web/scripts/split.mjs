// Splits the program into the part of the first load and the parts that are fetched later.
//
// Trunk knows nothing of this: it runs wasm-bindgen on the whole program. What it made is replaced
// here by wasm-split's and wasm-bindgen's work on the linker's own output, which still has the
// relocations that say what each function needs (`--emit-relocs` in .cargo/config.toml). The split
// points are in web/src/parts.rs.

import { execFile } from "node:child_process";
import { cp, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { web, writeHashed } from "./files.mjs";

const run = promisify(execFile);
const name = "dash-web";

// What rustc and wasm-bindgen use of WebAssembly. Not all that wasm-opt knows: it would write newer
// encodings that no browser reads yet.
const features = [
  "bulk-memory",
  "bulk-memory-opt",
  "extended-const",
  "multivalue",
  "mutable-globals",
  "nontrapping-float-to-int",
  "reference-types",
  "sign-ext",
].map((feature) => `--enable-${feature}`);

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
    const parts = join(work, "parts");
    const bound = join(work, "bound");
    await run("wasm-split-cli", [await linked(), parts, "--out-name", name]);
    await run("wasm-bindgen", [
      ...["--target", "web", "--no-typescript", "--keep-lld-exports"],
      ...["--out-dir", bound, "--out-name", name, join(parts, `${name}.wasm`)],
    ]);
    return await install(page, program, { parts, bound });
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

async function install(page, program, { parts, bound }) {
  const optimise = async (path) => {
    await run(join(web, "node_modules/.bin/wasm-opt"), ["-Oz", ...features, path, "-o", path]);
    return readFile(path);
  };

  // The parts, under hashed names, and the script that fetches them.
  let loader = await readFile(join(parts, "__wasm_split.js"), "utf8");
  const files = (await readdir(parts)).filter((file) => file.endsWith(".wasm") && file !== `${name}.wasm`);
  for (const file of files) {
    const hashed = await writeHashed(page.folder, file, await optimise(join(parts, file)));
    loader = loader.replaceAll(`"./${file}"`, `"./${hashed}"`);
  }

  // The first part, under new names: its content is not what Trunk hashed.
  const first = await optimise(join(bound, `${name}_bg.wasm`));
  const wasm = await writeHashed(page.folder, `${name}_bg.wasm`, first);
  await rm(join(page.folder, `${program}_bg.wasm`));
  page.html = page.html.replaceAll(`${program}_bg.wasm`, wasm);

  // The modules; they are bundled, with whatever they import, into the page's one script.
  await rm(join(page.folder, "snippets"), { recursive: true, force: true });
  await cp(join(bound, "snippets"), join(page.folder, "snippets"), { recursive: true }).catch(() => {});
  const module = await readFile(join(bound, `${name}.js`), "utf8");
  await writeFile(join(page.folder, `${program}.js`), module);
  const split = loader.replace(`"./${name}.js"`, `"./${program}.js"`);
  await writeFile(join(page.folder, "__wasm_split.js"), split);
  return filesOfParts(loader);
}

/**
 * What wasm-split's script fetches for each part: its own file, and the chunks that it shares with
 * other parts. The script calls `makeLoad` for each file, with the chunks to load before it.
 */
export function filesOfParts(loader) {
  const load = /\b(\w+) = (?:wrapAsyncCb\()?makeLoad\(.*?"\.\/([^"]+\.wasm)".*?\[([^\]]*)\]\)/gs;
  const files = new Map();
  for (const [, loads, file, before] of loader.matchAll(load)) {
    const chunks = before.match(/\w+/g) ?? [];
    files.set(loads, [...new Set([...chunks.flatMap((chunk) => files.get(chunk)), file])]);
  }
  const known = new Set([...files.values()].flat());
  const fetched = loader.match(/[\w-]+\.wasm/g) ?? [];
  if (fetched.length === 0 || fetched.some((file) => !known.has(file))) {
    throw new Error("wasm-split writes its script in another way: filesOfParts cannot read it");
  }
  const prefix = "__wasm_split_load_";
  const parts = [...files].filter(([loads]) => loads.startsWith(prefix));
  return new Map(parts.map(([loads, names]) => [loads.slice(prefix.length), names]));
}
