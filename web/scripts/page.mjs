// An HTML page of the build, and the few changes made to it. The pages are our own and Trunk's, well
// formed and small, so plain text matching is enough.

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { writeHashed } from "./files.mjs";

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
    const stylesheet = this.html.search(/<link\s[^>]*rel="stylesheet"/);
    const place = stylesheet >= 0 ? stylesheet : this.html.indexOf("</head>");
    if (place < 0) {
      throw new Error(`${this.name} has no head`);
    }
    this.html = this.html.slice(0, place) + tags.join("\n") + "\n" + this.html.slice(place);
  }

  /** Moves each script written into the page to a file of its own, in place and in order. */
  async moveInlineScripts() {
    const inline = /<script(?![^>]*\ssrc=)([^>]*)>([\s\S]*?)<\/script>/g;
    const found = [...this.html.matchAll(inline)].filter(([, , code]) => code.trim());
    for (const [element, attributes, code] of found) {
      const name = await writeHashed(this.folder, "boot.js", code.trim() + "\n");
      const moved = `<script${attributes} src="/${name}"></script>`;
      this.html = this.html.replace(element, () => moved);
    }
  }

  async write() {
    await writeFile(join(this.folder, this.name), this.html);
  }
}
