// "That was a 7": a drawing and its label are kept in a folder on this computer, and can be taken back.

import { element } from "./elements.js";

export class Lesson {
  #last = null; // what was kept last: { label, name }

  // `cropOfNow` returns the crop that is looked at; `say` shows a sentence about a failure.
  constructor(network, { labels, kept }, cropOfNow, say) {
    Object.assign(this, { network, kept, cropOfNow, say });
    labels.replaceChildren(...Array.from("0123456789", (label) => element("button", {
      type: "button", text: label, "aria-label": `That was a ${label}`, onclick: () => this.#do(() => this.#keep(label)),
    })));
  }

  async #keep(label) {
    const { name, ...kept } = await this.network.keepOwn(this.cropOfNow(), label);
    this.#last = { label, name };
    this.#show(kept, `Kept as a ${label}.`);
  }

  async #takeBack() {
    const { label, name } = this.#last;
    this.#last = null;
    this.#show(await this.network.takeBackOwn(label, name), "Taken back.");
  }

  async #do(work) {
    try {
      await work();
    } catch (error) {
      this.say(error.message);
    }
  }

  #show({ folder, counts }, sentence) {
    const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
    const link = (format) => element("a", { href: this.network.ownAddress(format), download: "", text: format });
    const rest = total === 0 ? [] : [` ${total} of your digits ${total === 1 ? "is" : "are"} in `, element("code", { text: folder }), ". Download: ", link("npz"), ", ", link("idx"), ", ", link("csv"), "."];
    this.kept.replaceChildren(sentence, ...(this.#last ? [" ", element("button", { type: "button", class: "slim", text: "Take back", onclick: () => this.#do(() => this.#takeBack()) })] : []), ...rest);
  }
}
