// "Watch it learn": a slider over the checkpoints that a training run kept, with the drawing judged at each.

import { labelOf } from "./answer.js";
import { element } from "./elements.js";

const inShort = (step) => (step >= 1000 ? `${step / 1000}k` : String(step));
const atStep = (step) => (step === 0 ? "before training" : `after ${step.toLocaleString("en")} ${step === 1 ? "step" : "steps"}`);

export class Checkpoints {
  #steps = [];
  #networks = []; // by step, opened when they are first needed
  #name = "";
  #drawing = null;

  // `open` opens a network by its name; `show` is called with the one that is chosen.
  constructor(box, open, show) {
    Object.assign(this, { box, open, show });
    this.slider = element("input", { type: "range", min: "0", step: "1", "aria-label": "Steps of training", oninput: () => this.#choose() });
    this.where = element("span", { class: "where" });
    this.answers = element("ol", { class: "answers", title: "What it reads at each; in grey or orange where it would not accept its own answer" });
    box.append(element("label", {}, element("b", { text: "Watch it learn" }), " ", this.where), this.slider, this.answers);
  }

  // Offer the checkpoints of a network, the last one chosen.
  offer({ name, checkpoints }) {
    [this.#name, this.#steps, this.#networks, this.#drawing] = [name, checkpoints, [], null];
    this.box.hidden = checkpoints.length < 2;
    this.slider.max = String(checkpoints.length - 1);
    this.slider.value = this.slider.max;
    this.box.style.setProperty("--count", String(checkpoints.length));
    this.#tell();
    this.answers.replaceChildren();
  }

  #open(k) {
    const networks = this.#networks;
    networks[k] ??= this.open(`${this.#name}@${this.#steps[k]}`).catch((error) => {
      networks[k] = null; // another try may succeed
      throw error;
    });
    return networks[k];
  }

  #tell() {
    const step = this.#steps[Number(this.slider.value)];
    this.where.textContent = step === undefined ? "" : atStep(step);
    this.slider.setAttribute("aria-valuetext", this.where.textContent);
    [...this.answers.children].forEach((one, k) => one.classList.toggle("is-chosen", k === Number(this.slider.value)));
  }

  async #choose() {
    const [name, k] = [this.#name, Number(this.slider.value)];
    this.#tell();
    try {
      const network = await this.#open(k);
      if (name === this.#name && k === Number(this.slider.value)) this.show(network, `${name}, ${this.where.textContent},`);
    } catch (error) {
      this.where.textContent = error.message;
    }
  }

  // Judge a drawing by the network at each checkpoint.
  async judge(crop, isRaw) {
    if (this.box.hidden) return;
    const drawing = {};
    this.#drawing = drawing;
    try {
      const judged = await Promise.all(this.#steps.map(async (_, k) => {
        const network = await this.#open(k);
        return { labels: network.labels, answer: (await network.answer([crop], { isRaw }))[0] };
      }));
      if (drawing === this.#drawing) this.#show(judged); // nothing else is drawn, and no other network shown, by now
    } catch (error) {
      if (drawing === this.#drawing) this.where.textContent = error.message;
    }
  }

  #show(judged) {
    this.answers.replaceChildren(...judged.map(({ labels, answer }, k) => {
      const kind = { accepted: "is-sure", "not sure": "is-unsure", "not a digit": "is-none" }[answer.decision];
      return element("li", { class: kind }, element("b", { text: labelOf(answer, labels) }), element("small", { text: inShort(this.#steps[k]) }));
    }));
    this.#tell();
  }
}
