// Bundles the API explorer (GraphiQL, React, the Monaco editor and its three workers) into explorer/.
// The policy allows no data: fonts. The editor's icon font becomes a file; the text fonts of GraphiQL are
// left out, explorer.css uses the product's own.

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { build } from "esbuild";
import { web, writeHashed } from "./files.mjs";

const source = join(web, "explorer");

const workers = {
  EDITOR_WORKER: "monaco-editor/esm/vs/editor/editor.worker.js",
  JSON_WORKER: "monaco-editor/esm/vs/language/json/json.worker.js",
  GRAPHQL_WORKER: "monaco-graphql/esm/graphql.worker.js",
};

const settings = {
  absWorkingDir: web,
  bundle: true,
  minify: true,
  target: "es2022",
  legalComments: "none",
  define: { "process.env.NODE_ENV": '"production"' },
  logLevel: "warning",
};

/** Writes the explorer into `explorer/` inside `folder`; its page links the stylesheet `fonts`. */
export async function bundleExplorer(folder, fonts) {
  const target = join(folder, "explorer");
  await mkdir(target, { recursive: true });

  const define = { ...settings.define };
  for (const [constant, entry] of Object.entries(workers)) {
    define[constant] = JSON.stringify(await bundleWorker(entry, target));
  }

  const { metafile } = await build({
    ...settings,
    define,
    entryPoints: [join(source, "explorer.jsx")],
    format: "esm",
    splitting: true,
    jsx: "automatic",
    loader: { ".ttf": "file", ".woff2": "file" },
    outdir: target,
    publicPath: "/explorer/",
    entryNames: "[name]-[hash]",
    chunkNames: "chunk-[hash]",
    assetNames: "[name]-[hash]",
    metafile: true,
    external: ["/explorer/*"],
    plugins: [fontsAsFiles(target)],
  });
  await writePage(target, metafile, fonts);
}

async function bundleWorker(entry, target) {
  const { outputFiles } = await build({
    ...settings,
    stdin: { contents: `import "${entry}";`, resolveDir: web },
    format: "iife",
    write: false,
  });
  const name = basename(entry).replace(".worker.js", "-worker.js");
  return `/explorer/${await writeHashed(target, name, outputFiles[0].contents)}`;
}

function fontsAsFiles(target) {
  const textFace = /@font-face\s*\{[^}]*data:font\/woff[^}]*\}/g;
  const iconFont = /url\((["']?)data:font\/ttf;base64,([A-Za-z0-9+/=]+)\1\)/;
  return {
    name: "fonts-as-files",
    setup({ onLoad }) {
      onLoad({ filter: /\.css$/ }, async ({ path }) => {
        let contents = (await readFile(path, "utf8")).replace(textFace, "");
        const embedded = contents.match(iconFont);
        if (embedded) {
          const name = await writeHashed(target, "icons.ttf", Buffer.from(embedded[2], "base64"));
          contents = contents.replace(embedded[0], `url("/explorer/${name}")`);
        }
        return { contents, loader: "css", resolveDir: dirname(path) };
      });
    },
  };
}

async function writePage(target, { outputs }, fonts) {
  const [script, { cssBundle }] = Object.entries(outputs).find(
    ([, output]) => output.entryPoint === "explorer/explorer.jsx",
  );
  const path = (output) => `/explorer/${basename(output)}`;
  const tags = [
    `<link rel="stylesheet" href="${fonts}">`,
    `<link rel="stylesheet" href="${path(cssBundle)}">`,
    `<script type="module" src="${path(script)}"></script>`,
  ];
  const html = await readFile(join(source, "index.html"), "utf8");
  const page = html.replace(/<!--.*?-->/s, tags.join("\n    "));
  await writeFile(join(target, "index.html"), page);
}
