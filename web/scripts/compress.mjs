// Writes the brotli and gzip forms of each file beside it, so that the server never compresses them.

import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";

const compressible = new Set([".css", ".html", ".js", ".json", ".svg", ".txt", ".wasm", ".webmanifest"]);
const brotli = promisify(brotliCompress);
const deflate = promisify(gzip);

/** Compresses every file of `folder` that gets smaller by it. */
export async function compressFolder(folder) {
  const entries = await readdir(folder, { recursive: true });
  await Promise.all(
    entries
      .filter((name) => compressible.has(extname(name)))
      .map((name) => compressFile(join(folder, name))),
  );
}

async function compressFile(path) {
  const content = await readFile(path);
  const isText = extname(path) !== ".wasm";
  const mode = isText ? constants.BROTLI_MODE_TEXT : constants.BROTLI_MODE_GENERIC;
  const params = {
    [constants.BROTLI_PARAM_MODE]: mode,
    [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
    [constants.BROTLI_PARAM_SIZE_HINT]: content.length,
  };
  const [br, gz] = await Promise.all([brotli(content, { params }), deflate(content, { level: 9 })]);
  await Promise.all(
    [[".br", br], [".gz", gz]]
      .filter(([, packed]) => packed.length < content.length)
      .map(([suffix, packed]) => writeFile(path + suffix, packed)),
  );
}

/** The sizes of a file in bytes: as it is, and as it is sent to a browser that knows brotli. */
export async function sizes(path) {
  const plain = (await stat(path)).size;
  const sent = await stat(`${path}.br`).then((file) => file.size, () => plain);
  return { plain, sent };
}
