// Binaryen's programs, and what of WebAssembly they may use.

import { execFile } from "node:child_process";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { web } from "./files.mjs";

/** The path of one of the programs. */
export const binaryen = (program) => join(web, "node_modules/.bin", program);

/**
 * What rustc and wasm-bindgen use of WebAssembly. Not all that Binaryen knows: it would write newer
 * encodings that no browser reads yet.
 */
export const features = [
  "bulk-memory",
  "bulk-memory-opt",
  "extended-const",
  "multivalue",
  "mutable-globals",
  "nontrapping-float-to-int",
  "reference-types",
  "sign-ext",
].map((feature) => `--enable-${feature}`);

// Measured by what they leave after compression, which -Oz and --converge do not improve: regular
// code compresses well, and what has been taken apart (--flatten) and put together again is more
// regular. The lowest kilobyte of the memory is the last of the stack: no value is addressed
// relative to it.
const passes = ["--flatten", "--rereloop", "-O1", "-Os", "--code-folding", "--low-memory-unused"];

/** Makes a module as small as it gets, in place. Names and notes are taken out too. */
export async function optimise(path) {
  const args = [...passes, "--strip-producers", "--strip-target-features", ...features];
  await promisify(execFile)(binaryen("wasm-opt"), [...args, path, "-o", path]);
}

/** Does something with each item, with as many at a time as there are processors. */
export async function inParallel(items, act) {
  const waiting = [...items];
  const work = async () => {
    while (waiting.length > 0) {
      await act(waiting.shift());
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
}
