// Bundles the chart binding and the parts of ECharts that it uses into one module.

import { join } from "node:path";
import { build } from "esbuild";
import { web, writeHashed } from "./files.mjs";

/** Writes the bundle into `folder` and returns the path to import it from. */
export async function bundleCharts(folder) {
  const { outputFiles } = await build({
    entryPoints: [join(web, "js/charts.js")],
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    legalComments: "none",
    define: { "process.env.NODE_ENV": '"production"' },
    write: false,
  });
  return `/${await writeHashed(folder, "charts.js", outputFiles[0].contents)}`;
}
