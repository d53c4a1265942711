// The script that fetches the parts of the program. It takes the place of wasm-split's own, which
// knows one file for each part and each thing that parts share.

/** What stands in the script, whatever the parts are. */
const script = `
const fetched = new Map();

// What is there, or on its way, is not fetched again; what failed is.
function load(file) {
  if (!fetched.has(file)) {
    const response = fetch(new URL(file, import.meta.url));
    const loading = WebAssembly.instantiateStreaming(response, { main: initSync() });
    loading.catch(() => fetched.delete(file));
    fetched.set(file, loading);
  }
  return fetched.get(file);
}

// The program is told by a call of one of its functions, and whether all went well.
async function loadAll(files, callback, data) {
  let isThere = true;
  try {
    await Promise.all(files.map(load));
  } catch (error) {
    console.error(error);
    isThere = false;
  }
  initSync().__indirect_function_table.get(callback)(data, isThere);
}
`;

/** The name that the program imports for a part. */
export const loads = (part) => `__wasm_split_load_${part}`;

/** The script. `program` is the module that wasm-bindgen wrote, `parts` has the files of each part. */
export function loaderScript(program, parts) {
  const functions = [...parts].map(([part, files]) => {
    const paths = JSON.stringify(files.map((file) => `./${file}`));
    return `export const ${loads(part)} = (...callback) => loadAll(${paths}, ...callback);`;
  });
  return [`import { initSync } from "./${program}";`, script, ...functions, ""].join("\n");
}
