// Brings what a page loads first down to one script and one stylesheet, each a single request.
//
// Trunk leaves a module in the page that imports wasm-bindgen's module, which imports a file per
// `inline_js` of the Rust code: a chain of requests, now one bundle. Other inline scripts become
// files as they are, because they run before the first paint, and where they stand.

import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { build, transform } from "esbuild";
import { writeHashed } from "./files.mjs";

const common = { minify: true, target: "es2022", legalComments: "none" };

/** Moves each script written into the page to a file of its own, in place and in order. */
export async function moveScripts(page) {
  for (const { element, attributes, code } of page.inlineScripts()) {
    const isProgram = /\btype="?module"?/.test(attributes);
    const name = isProgram
      ? await writeHashed(page.folder, "app.js", await bundle(page.folder, code))
      : await writeHashed(page.folder, "boot.js", (await transform(code, common)).code);
    page.replace(element, `<script${attributes} src="/${name}"></script>`);
    if (isProgram) {
      await removeBundled(page);
    }
  }
}

async function bundle(folder, code) {
  const { outputFiles } = await build({
    ...common,
    bundle: true,
    format: "esm",
    stdin: { contents: code, resolveDir: folder },
    plugins: [pathsFrom(folder)],
    write: false,
  });
  return outputFiles[0].contents;
}

/** Paths such as `/dash-web-….js` mean files of the build. */
function pathsFrom(folder) {
  return {
    name: "paths-from-build",
    setup({ onResolve }) {
      onResolve({ filter: /^\// }, ({ path, kind }) =>
        kind === "import-statement" ? { path: join(folder, path) } : undefined,
      );
    },
  };
}

/** Takes away the modules that are in the bundle now. */
async function removeBundled(page) {
  for (const { element, path } of page.links("modulepreload")) {
    page.replace(element, "");
    await rm(join(page.folder, path), { force: true });
  }
  await rm(join(page.folder, "snippets"), { recursive: true, force: true });
  await rm(join(page.folder, "__wasm_split.js"), { force: true });
}

/** Merges the stylesheets of the page into one, in their order, where the first one stands. */
export async function mergeStylesheets(page) {
  const links = page.links("stylesheet");
  const texts = await Promise.all(
    links.map(({ path }) => readFile(join(page.folder, path), "utf8")),
  );
  const { code } = await transform(texts.join("\n"), { loader: "css", minify: true });
  const name = await writeHashed(page.folder, "style.css", code);
  const [first, ...others] = links;
  page.replace(first.element, `<link rel="stylesheet" href="/${name}">`);
  others.forEach(({ element }) => page.replace(element, ""));
  return links.map(({ path }) => path);
}
