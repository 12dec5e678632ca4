// The test images that the shown network reads wrongly: a confusion matrix, in which a number opens its images.

import { element, inkCanvas, percent } from "./elements.js";

const pixelsOf = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

// Shows the mistakes of a network once the section is in sight, since they take a second; `lookInto` opens an image.
export class Mistakes {
  #network = null;
  #isInSight = false;
  #isShown = false;

  constructor(section, note, box, lookInto) {
    Object.assign(this, { note, box, lookInto });
    new IntersectionObserver((entries) => {
      this.#isInSight = entries.at(-1).isIntersecting;
      this.#showOnce();
    }, { rootMargin: "200px" }).observe(section);
  }

  show(network) {
    [this.#network, this.#isShown] = [network, false];
    this.#showOnce();
  }

  async #showOnce() {
    if (!this.#isInSight || this.#isShown || !this.#network) return;
    this.#isShown = true;
    const network = this.#network;
    this.note.textContent = "Reading MNIST's 10,000 test images...";
    this.box.replaceChildren();
    try {
      const found = await network.findMistakes();
      if (network === this.#network) this.#draw(found, network);
    } catch (error) {
      this.note.textContent = error.message;
    }
  }

  #draw({ images, counts, mistakes }, { name, labels }) {
    const wrongOf = (row, label) => row.map((count, predicted) => (label === predicted ? 0 : count));
    const wrong = counts.flatMap(wrongOf);
    const total = wrong.reduce((sum, count) => sum + count, 0);
    this.note.textContent = `${name} reads ${total} of MNIST's ${images.toLocaleString("en")} test images wrongly. Rows are true digits, columns predicted ones; choose a number to see its images, and an image to look into it above.`;
    const largest = Math.max(1, ...wrong);
    const panel = element("div", { class: "mistakes", "aria-live": "polite" });
    const open = (label, predicted) => panel.replaceChildren(
      element("h3", { text: `${labels[label]} read as ${labels[predicted]}` }),
      element("ul", {}, ...mistakes.filter((one) => one.label === label && one.predicted === predicted).map((one) => this.#picture(one, labels))));
    const cell = (count, label, predicted) => {
      if (label === predicted || !count) return element("td", { class: label === predicted ? "correct" : "none", text: count || "" });
      return element("td", { class: "wrong", style: `--shade: ${Math.round((100 * count) / largest)}%` }, element("button", {
        type: "button", text: String(count), "aria-label": `${labels[label]} read as ${labels[predicted]}: ${count}`,
        onclick: () => open(label, predicted),
      }));
    };
    const table = element("table", { class: "matrix" },
      element("thead", {}, element("tr", {}, element("td"), ...labels.map((text) => element("th", { scope: "col", text })))),
      element("tbody", {}, ...counts.map((row, label) => element("tr", {},
        element("th", { scope: "row", text: labels[label] }), ...row.map((count, predicted) => cell(count, label, predicted))))));
    this.box.replaceChildren(element("div", { class: "scroll" }, table), panel);
    const most = wrong.indexOf(largest);
    if (most >= 0) open(Math.floor(most / labels.length), most % labels.length);
  }

  #picture({ index, image, probability, disputed, label }, labels) {
    const picture = { rows: 28, columns: 28, pixels: pixelsOf(image) };
    return element("li", {}, element("button", {
      type: "button", "aria-label": `Test image ${index}, a ${labels[label]}`, onclick: () => this.lookInto(picture),
    }, inkCanvas(picture)), element("small", { text: percent(probability) }),
    disputed ? element("small", { class: "disputed", text: "disputed", title: disputed }) : null);
  }
}
