// Files whose names carry a hash of their content, and the folders the scripts work in.

import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { dirname, join, parse } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder `web/`. */
export const web = dirname(dirname(fileURLToPath(import.meta.url)));

/** Writes `content` as `stem-<hash>.ext` into `folder` and returns that name. */
export async function writeHashed(folder, name, content) {
  const { name: stem, ext } = parse(name);
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 16);
  const hashed = `${stem}-${hash}${ext}`;
  await writeFile(join(folder, hashed), content);
  return hashed;
}
