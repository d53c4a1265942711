// Finishes what Trunk built, in Trunk's staging folder, as its post_build hook (see Trunk.toml).
//
//   charts-<hash>.js       web/js/charts.js and ECharts in one module; its path is written into
//                          <meta name="dash-charts" content=""> of index.html, from where the
//                          client imports it when the first chart is shown
//   fonts-<hash>.css       @font-face for "Inter Variable" and for "Inter Fallback", a system font
//                          with Inter's measures, so that nothing moves when Inter arrives;
//                          index.html gets the <link> and a preload of the Latin subset
//   inter-*-<hash>.woff2   the font's subsets
//   boot-<hash>.js         every inline script of index.html (Trunk writes one), so that the
//                          content security policy need not allow any
//   explorer/              the API explorer; the server answers /graphiql with explorer/index.html
//   *.br, *.gz             each text and wasm file, compressed as far as it goes
//
// Names with a hash never change their content and can be cached for ever; index.html and
// explorer/index.html cannot. The build fails when the first load or the charts outgrow their budget.

import { checkBudgets } from "./budgets.mjs";
import { bundleCharts } from "./charts.mjs";
import { compressFolder } from "./compress.mjs";
import { bundleExplorer } from "./explorer.mjs";
import { copyFonts } from "./fonts.mjs";
import { Page } from "./page.mjs";

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
await page.moveInlineScripts();
await page.write();

await compressFolder(staging);
await checkBudgets(staging, { page: "index.html", charts });
