// Gives what the program imports from its script short names. wasm-bindgen ends each with a hash,
// which no compression makes smaller, and each stands in both.

import { transform } from "esbuild";

const long = /^__(wbg|wbindgen)_\w+_[0-9a-f]{16}$/;
const sectionOfImports = 2;

/** Returns script and module with the names shortened. */
export async function shortenNames(script, module) {
  const { code, mangleCache } = await transform(script, { mangleProps: long, mangleCache: {} });
  return { script: code, module: renameImports(module, mangleCache) };
}

/** Renames the imports of a module, which come early in it: the rest is copied as it is. */
export function renameImports(module, names) {
  const parts = [module.subarray(0, 8)];
  for (let at = 8; at < module.length; ) {
    const id = module[at];
    const [size, start] = readNumber(module, at + 1);
    const section = module.subarray(start, start + size);
    const body = id === sectionOfImports ? renamed(section, names) : section;
    parts.push(Buffer.from([id]), number(body.length), body);
    at = start + size;
  }
  return Buffer.concat(parts);
}

function renamed(section, names) {
  const [count, first] = readNumber(section, 0);
  const parts = [number(count)];
  let at = first;
  for (let index = 0; index < count; index += 1) {
    const [from, nameAt] = readBytes(section, at);
    const [name, kindAt] = readBytes(section, nameAt);
    const short = names[name.toString()];
    const end = endOfType(section, kindAt);
    parts.push(bytes(from), bytes(short ? Buffer.from(short) : name), section.subarray(kindAt, end));
    at = end;
  }
  return Buffer.concat(parts);
}

/** Where the description of an import ends, which begins with its kind. */
function endOfType(section, at) {
  const kind = section[at];
  const skipLimits = (start) => {
    const [flags, least] = readNumber(section, start);
    const [, end] = readNumber(section, least);
    return flags & 1 ? readNumber(section, end)[1] : end;
  };
  switch (kind) {
    case 0: // function: its type
      return readNumber(section, at + 1)[1];
    case 1: // table: what it holds, and its limits
      return skipLimits(at + 2);
    case 2: // memory: its limits
      return skipLimits(at + 1);
    case 3: // global: its type, and whether it changes
      return at + 3;
    default:
      throw new Error(`an import of the unknown kind ${kind}`);
  }
}

/** Reads a number in LEB128, and says where it ends. */
function readNumber(from, start) {
  let [value, shift, at] = [0, 0, start];
  do {
    value += (from[at] & 0x7f) * 2 ** shift;
    shift += 7;
    at += 1;
  } while (from[at - 1] & 0x80);
  return [value, at];
}

function readBytes(from, start) {
  const [length, at] = readNumber(from, start);
  return [from.subarray(at, at + length), at + length];
}

function number(value) {
  const all = [];
  let rest = value;
  do {
    const more = rest > 0x7f;
    all.push((rest & 0x7f) | (more ? 0x80 : 0));
    rest = Math.floor(rest / 128);
  } while (rest > 0);
  return Buffer.from(all);
}

const bytes = (content) => Buffer.concat([number(content.length), content]);
