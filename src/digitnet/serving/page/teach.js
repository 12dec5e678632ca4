// "Learn my hand": once there are enough of a person's own digits, a copy of the network is adapted to them, and the
// page says whether that helped.

import { element } from "./elements.js";

const ENOUGH = 30; // digits: from fewer nothing can be told
const PAUSE = 1000; // milliseconds between two looks at how far it is

const wait = () => new Promise((resolve) => { setTimeout(resolve, PAUSE); });

export class Teacher {
  #isRunning = false;

  // `wanted` names the network to adapt, `use` is called once there is an adapted one, and whether it is better.
  constructor(network, box, wanted, use) {
    Object.assign(this, { network, box, wanted, use });
    network.readAdaptation().then(({ state }) => (state === "running" ? this.#follow() : null)).catch(() => {});
    network.countOwn().then(({ counts }) => this.count(counts)).catch(() => {});
  }

  // Tell how many digits there are of each label.
  count(counts) {
    const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
    if (this.#isRunning || this.box.querySelector("table")) return;
    this.box.hidden = total === 0;
    this.box.replaceChildren(...(total < ENOUGH
      ? [`From ${ENOUGH} of your digits on, it can learn your hand: ${ENOUGH - total} more.`]
      : [this.#button("Learn my hand"), ` from your ${total} digits. It takes a minute.`]));
  }

  #button(text) {
    return element("button", { type: "button", text, onclick: () => this.#start() });
  }

  async #start() {
    if (this.#isRunning) return;
    try {
      await this.network.startAdaptation(this.wanted());
      await this.#follow();
    } catch (error) {
      this.box.replaceChildren(element("span", { class: "failure", text: error.message }), " ", this.#button("Try again"));
    }
  }

  async #follow() {
    this.#isRunning = true;
    this.box.hidden = false;
    this.box.setAttribute("aria-live", "off"); // nobody wants to hear every step
    try {
      for (;;) {
        const found = await this.network.readAdaptation();
        if (found.state !== "running") this.box.setAttribute("aria-live", "polite");
        if (found.state === "done") {
          this.#show(found.result);
          await this.use(found.result.is_better);
          return;
        }
        if (found.state !== "running") throw new Error(found.error ?? "The server was started again. Try once more.");
        this.box.replaceChildren(element("span", { text: found.progress }));
        await wait();
      }
    } finally {
      this.#isRunning = false;
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
