// "Learn my hand": once there are enough of a person's own digits, a copy of the network is adapted to them, and the
// page says whether that helped.

import { element, readsDigits } from "./elements.js";

const ENOUGH = 30; // digits: from fewer nothing can be told
const PAUSE = 1000; // milliseconds between two looks at how far it is
const BUSY = 409; // the status of a server that is at it for another page

const wait = () => new Promise((resolve) => { setTimeout(resolve, PAUSE); });

export class Teacher {
  #isBusy = false;
  #base = null; // the name of the network that was adapted last

  // `wanted` returns the network that the page reads with; `use` is called once one is adapted, with whether it is
  // better, and with the name of the one that it was adapted from.
  constructor(network, box, wanted, use) {
    Object.assign(this, { network, box, wanted, use });
    network.readAdaptation().then(({ state }) => { if (state === "running") this.#run(() => {}); }).catch(() => {});
    network.countOwn().then(({ counts }) => this.count(counts)).catch(() => {});
  }

  // Tell how many digits there are of each label.
  count(counts) {
    const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
    if (this.#isBusy || this.box.querySelector("table")) return;
    this.box.hidden = total === 0;
    this.box.replaceChildren(...(total < ENOUGH
      ? [`From ${ENOUGH} of your digits on, it can learn your hand: ${ENOUGH - total} more. Keep those that it reads, too: the comparison needs them.`]
      : [this.#button("Learn my hand"), ` from your ${total} digits. It takes a minute.`]));
  }

  #button(text) {
    return element("button", { type: "button", text, onclick: () => this.#run(() => this.network.startAdaptation(this.#from())) });
  }

  // One that was adapted before has learned the digits: nothing could be told of it.
  #from() {
    const network = this.wanted();
    if (network.name === "adapted") return this.#base ?? "reader";
    if (!readsDigits(network) || network.layers.length === 0) throw new Error(`${network.name} can't learn digits. Choose another network to read with.`);
    return network.name;
  }

  async #run(start) {
    if (this.#isBusy) return;
    this.#isBusy = true;
    this.box.hidden = false;
    this.box.setAttribute("aria-live", "off"); // nobody wants to hear every step
    this.box.focus({ preventScroll: true }); // the button goes
    try {
      await Promise.resolve().then(start).catch((error) => { if (error.status !== BUSY) throw error; });
      const { result, model } = await this.#follow();
      this.box.setAttribute("aria-live", "polite");
      this.#base = model;
      this.#show(result);
      await this.use(result.is_better, model);
    } catch (error) {
      this.box.setAttribute("aria-live", "polite");
      this.box.replaceChildren(element("span", { class: "failure", text: error.message }), " ", this.#button("Try again"));
    } finally {
      this.#isBusy = false;
    }
  }

  async #follow() {
    for (;;) {
      const found = await this.network.readAdaptation();
      if (found.state === "done") return found;
      if (found.state !== "running") throw new Error(found.error ?? "The server was started again. Try once more.");
      this.box.replaceChildren(element("span", { text: found.progress }));
      await wait();
    }
  }

  #show({ own, mnist_validation: mnist, outliers, verdict, price }) {
    const row = (name, { images, before, after }) => element("tr", {}, element("th", { scope: "row", text: name }),
      ...[before, after].map((count) => element("td", { text: `${count.toLocaleString("en")} of ${images.toLocaleString("en")}` })));
    this.box.replaceChildren(
      element("table", {}, element("thead", {}, element("tr", {}, element("td"), element("th", { scope: "col", text: "before" }), element("th", { scope: "col", text: "after" }))),
        element("tbody", {}, row("your digits, right", own), row("MNIST, right", mnist), row("no digit, refused", outliers))),
      element("p", {}, element("b", { text: verdict }), price ? ` ${price}` : ""),
      element("p", { text: "Each of your digits was judged by a network that had not learned it." }),
      element("p", {}, this.#button("Learn again")));
  }
}
