// Copies the variable font Inter, Latin and extended Latin, and writes the stylesheet that names it.

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { web, writeHashed } from "./files.mjs";

const require = createRequire(join(web, "package.json"));
const subsets = ["latin", "latin-ext"];

// Arial, stretched to Inter's widths and line: the ratio of the fonts' average widths, and Inter's
// ascent (1984) and descent (494) of 2048 units divided by that ratio.
const fallback = `@font-face {
  font-family: "Inter Fallback";
  src: local("Arial"), local("Liberation Sans"), local("Helvetica");
  size-adjust: 107.06%;
  ascent-override: 90.49%;
  descent-override: 22.53%;
  line-gap-override: 0%;
}
`;

/** Writes fonts and stylesheet into `folder`; returns the stylesheet and the file to preload. */
export async function copyFonts(folder) {
  const ranges = require("@fontsource-variable/inter/unicode.json");
  const paths = await Promise.all(
    subsets.map(async (subset) => {
      const source = `@fontsource-variable/inter/files/inter-${subset}-wght-normal.woff2`;
      const content = await readFile(require.resolve(source));
      return `/${await writeHashed(folder, `inter-${subset}.woff2`, content)}`;
    }),
  );
  const faces = subsets.map((subset, index) => face(paths[index], ranges[subset]));
  const stylesheet = await writeHashed(folder, "fonts.css", faces.join("") + fallback);
  return { stylesheet: `/${stylesheet}`, preload: paths[0] };
}

function face(path, range) {
  return `@font-face {
  font-family: "Inter Variable";
  font-style: normal;
  font-weight: 100 900;
  font-display: swap;
  src: url("${path}") format("woff2");
  unicode-range: ${range};
}
`;
}
