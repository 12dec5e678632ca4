// "That was a 7": a drawing and its label are kept in a folder on this computer, and can be taken back.

import { element } from "./elements.js";

const LABELS = "0123456789";

export class Lesson {
  #last = null; // what was kept last: { label, name, of }, the drawing that it is of
  #queue = Promise.resolve(); // one thing is kept or taken back at a time

  // `seen` returns the drawing that is looked at, with its crop; `finish` is told whether it is done; `say` shows a
  // sentence about a failure; `counted` is told how many digits of each label are kept.
  constructor(network, { labels, kept }, { seen, finish, say, counted }) {
    Object.assign(this, { network, kept, seen, finish, say, counted });
    labels.replaceChildren(...Array.from(LABELS, (label) => element("button", {
      type: "button", text: label, "aria-label": `That was a ${label}`, onclick: () => this.keep(label),
    })));
  }

  // Keep the drawing as `label`; nothing happens for what is no label.
  keep(label) {
    const of = this.seen();
    if (!of || label.length !== 1 || !LABELS.includes(label)) return;
    this.finish(true); // at once, since the next stroke may come before the reply
    this.#do(() => this.#keep(of, label), () => this.finish(false));
  }

  async #keep(of, label) {
    const before = this.#last;
    const { name, ...kept } = await this.network.keepOwn(of.crop, label);
    this.#last = { label, name, of };
    // A second label for the same drawing takes the place of the first.
    const now = before?.of.crop === of.crop ? await this.network.takeBackOwn(before.label, before.name) : kept;
    this.#show(now, `Kept as a ${label}.`);
  }

  async #takeBack() {
    if (!this.#last) return;
    const { label, name, of } = this.#last;
    const kept = await this.network.takeBackOwn(label, name);
    this.#last = null;
    if (of === this.seen()) this.finish(false); // it may be corrected
    this.#show(kept, "Taken back.");
  }

  #do(work, failed = () => {}) {
    this.#queue = this.#queue.then(work).catch((error) => {
      failed();
      this.say(error.message);
    });
  }

  #show({ folder, counts }, sentence) {
    this.counted(counts);
    const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
    const link = (format) => element("a", { href: this.network.ownAddress(format), download: "", text: format });
    const rest = total === 0 ? [] : [` ${total} of your digits ${total === 1 ? "is" : "are"} in `, element("code", { text: folder }), ". Download: ", link("npz"), ", ", link("idx"), ", ", link("csv"), "."];
    this.kept.replaceChildren(sentence, ...(this.#last ? [" ", element("button", { type: "button", class: "slim", text: "Take back", onclick: () => this.#do(() => this.#takeBack()) })] : []), ...rest);
  }
}
