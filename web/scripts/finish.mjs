// Finishes what Trunk built, in Trunk's staging folder, as its post_build hook (see Trunk.toml).
//
//   charts-<hash>.js       web/js/charts.js and ECharts in one module; its path is written into
//                          <meta name="dash-charts" content=""> of index.html, from where the
//                          client imports it when the first chart is shown
//   dash-web_bg-<hash>.wasm, and a file for each part of the program that is fetched later, or for
//                          what several have in common; see split.mjs and chunks.mjs
//   app-<hash>.js          the module that Trunk wrote into the page, with all that it imports
//   boot-<hash>.js         any other inline script of the page; with both gone the content security
//                          policy need not allow inline scripts
//   style-<hash>.css       the page's stylesheets in their order, after fonts-<hash>.css
//   fonts-<hash>.css       @font-face for "Inter Variable" and for "Inter Fallback", a system font
//                          with Inter's measures, so that nothing moves when Inter arrives
//   inter-*-<hash>.woff2   the font's subsets; the page preloads the Latin one
//   explorer/              the API explorer; the server answers /graphiql with explorer/index.html
//   *.br, *.gz             each text and wasm file, compressed as far as it goes
//
// Names with a hash never change their content and can be cached for ever; index.html and
// explorer/index.html cannot. The build fails when what a page loads first, or the charts, outgrow
// their budget; see routes.mjs.

import { rm } from "node:fs/promises";
import { join } from "node:path";
import { checkBudgets } from "./budgets.mjs";
import { bundleCharts } from "./charts.mjs";
import { compressFolder } from "./compress.mjs";
import { bundleExplorer } from "./explorer.mjs";
import { copyFonts } from "./fonts.mjs";
import { Page } from "./page.mjs";
import { mergeStylesheets, moveScripts } from "./program.mjs";
import { splitProgram } from "./split.mjs";

const staging = process.env.TRUNK_STAGING_DIR;
if (!staging) {
  throw new Error("TRUNK_STAGING_DIR is not set: this script is run by Trunk, see Trunk.toml");
}

const fonts = await copyFonts(staging);
const [charts] = await Promise.all([
  bundleCharts(staging),
  bundleExplorer(staging, fonts.stylesheet),
]);

const page = await Page.read(staging, "index.html");
page.setMeta("dash-charts", charts);
page.addToHead(
  `<link rel="preload" href="${fonts.preload}" as="font" type="font/woff2" crossorigin>`,
  `<link rel="stylesheet" href="${fonts.stylesheet}">`,
);
const parts = await splitProgram(page);
const merged = await mergeStylesheets(page);
await moveScripts(page);
await page.write();
// The explorer's page still links the fonts' stylesheet.
const unused = merged.filter((path) => `/${path}` !== fonts.stylesheet);
await Promise.all(unused.map((path) => rm(join(staging, path))));

await compressFolder(staging);
await checkBudgets(staging, { page: "index.html", charts, parts });
