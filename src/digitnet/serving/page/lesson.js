// "That was a 7": a drawing and its label are kept in a folder on this computer, and can be taken back.

import { element } from "./elements.js";

const LABELS = "0123456789";

export class Lesson {
  #last = null; // what was kept last: { label, name, of }, the drawing that it is of

  // `seen` returns the drawing that is looked at, with its crop; `say` shows a sentence about a failure; `done` is told
  // how many digits of each label are kept.
  constructor(network, { labels, kept }, seen, say, done) {
    Object.assign(this, { network, kept, seen, say, done });
    labels.replaceChildren(...Array.from(LABELS, (label) => element("button", {
      type: "button", text: label, "aria-label": `That was a ${label}`, onclick: () => this.keep(label),
    })));
  }

  // Keep the drawing as `label`; nothing happens for what is no label.
  async keep(label) {
    if (label.length === 1 && LABELS.includes(label)) await this.#do(() => this.#keep(label));
  }

  async #keep(label) {
    const of = this.seen();
    if (!of) return;
    const before = this.#last;
    const { name, ...kept } = await this.network.keepOwn(of.crop, label);
    this.#last = { label, name, of };
    // A second label for the same drawing takes the place of the first.
    const now = before?.of.crop === of.crop ? await this.network.takeBackOwn(before.label, before.name) : kept;
    this.#show(now, `Kept as a ${label}.`);
  }

  async #takeBack() {
    if (!this.#last) return;
    const { label, name } = this.#last;
    const kept = await this.network.takeBackOwn(label, name);
    if (this.#last?.name === name) this.#last = null;
    this.#show(kept, "Taken back.");
  }

  async #do(work) {
    try {
      await work();
    } catch (error) {
      this.say(error.message);
    }
  }

  #show({ folder, counts }, sentence) {
    this.done(counts);
    const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
    const link = (format) => element("a", { href: this.network.ownAddress(format), download: "", text: format });
    const rest = total === 0 ? [] : [` ${total} of your digits ${total === 1 ? "is" : "are"} in `, element("code", { text: folder }), ". Download: ", link("npz"), ", ", link("idx"), ", ", link("csv"), "."];
    this.kept.replaceChildren(sentence, ...(this.#last ? [" ", element("button", { type: "button", class: "slim", text: "Take back", onclick: () => this.#do(() => this.#takeBack()) })] : []), ...rest);
  }
}
