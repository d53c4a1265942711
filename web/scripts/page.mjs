// An HTML page of the build, and the few changes made to it. The pages are our own and Trunk's, well
// formed and small, so plain text matching is enough.

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

export class Page {
  static async read(folder, name) {
    return new Page(folder, name, await readFile(join(folder, name), "utf8"));
  }

  constructor(folder, name, html) {
    this.folder = folder;
    this.name = name;
    this.html = html;
  }

  /** Sets the content of `<meta name="…">`, which the page must have. */
  setMeta(name, content) {
    const tag = new RegExp(`<meta\\s[^>]*name="${name}"[^>]*>`);
    if (!tag.test(this.html)) {
      throw new Error(`${this.name} has no <meta name="${name}" content="">`);
    }
    this.html = this.html.replace(tag, `<meta name="${name}" content="${content}">`);
  }

  /** Adds tags before the first stylesheet, or at the end of the head. */
  addToHead(...tags) {
    const [stylesheet] = this.links("stylesheet");
    const place = this.html.indexOf(stylesheet ? stylesheet.element : "</head>");
    if (place < 0) {
      throw new Error(`${this.name} has no head`);
    }
    this.html = this.html.slice(0, place) + tags.join("\n") + "\n" + this.html.slice(place);
  }

  /** The `<link>` elements of one relation, with the path inside the build that each names. */
  links(relation) {
    const elements = this.html.match(/<link\s[^>]*>/g) ?? [];
    return elements
      .filter((element) => new RegExp(`rel="?${relation}\\b`).test(element))
      .map((element) => ({ element, path: element.match(/href="?\/([^"\s>]+)/)?.[1] }))
      .filter(({ path }) => path);
  }

  /** The scripts whose code is in the page. */
  inlineScripts() {
    const inline = /<script(?![^>]*\ssrc=)([^>]*)>([\s\S]*?)<\/script>/g;
    return [...this.html.matchAll(inline)].map(([element, attributes, code]) => ({
      element,
      attributes,
      code,
    }));
  }

  /** Puts something, or nothing, in the place of an element. */
  replace(element, text) {
    this.html = this.html.replace(element, () => text);
  }

  /** Writes the page without comments and empty lines. */
  async write() {
    const html = this.html.replace(/<!--[\s\S]*?-->/g, "").replace(/\n\s*(?=\n)/g, "");
    await writeFile(join(this.folder, this.name), html);
  }
}
