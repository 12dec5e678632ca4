// Things to try that show where a network fails, each with what it shows.

import { element } from "./elements.js";
import { labelOf } from "./answer.js";

const accepts = (label) => ({ answer, labels }) => answer.decision === "accepted" && labelOf(answer, labels) === label;

const CHALLENGES = [
  {
    task: "Draw a 4 that it reads as a 9.",
    isMet: accepts("9"),
    shown: "Most 4s of MNIST are open at the top, so a closed one looks like a 9 to it. A network knows the hands that it was trained on, and no other.",
  },
  {
    task: "Make it say that it is not sure.",
    isMet: ({ answer }) => answer.decision === "not sure",
    shown: "Half way between two digits, no answer reaches the line. A reader without the line would have guessed.",
  },
  {
    task: "Draw a 1 that it reads as a 7.",
    isMet: accepts("7"),
    shown: "A 1 with a long flag is a 7 elsewhere: which it is depends on the writer, not on the pixels.",
  },
  {
    task: "Feed raw pixels, and draw a small 3 in a corner.",
    isMet: ({ isRaw, answer, labels }) => isRaw && !accepts("3")({ answer, labels }),
    shown: "All of MNIST's digits are 20 pixels high and centred. Yours is another distribution, and the accuracy of 99% says nothing about it.",
  },
  {
    task: "Draw a letter that it takes for a digit.",
    isMet: ({ answer }) => answer.decision === "accepted",
    shown: "If that was a letter: O is 0, l is 1, Z is 2 to anyone who sees the shape alone. What stands around a mark decides.",
  },
];

export class Challenges {
  #place = 0;
  #isMet = false;

  constructor(box) {
    this.box = box;
    this.#show();
  }

  // Tell what was answered: { answer, labels, isRaw }.
  judge(found) {
    if (this.#isMet || !CHALLENGES[this.#place].isMet(found)) return;
    this.#isMet = true;
    this.#show();
  }

  #next() {
    this.#place = (this.#place + 1) % CHALLENGES.length;
    this.#isMet = false;
    this.#show();
  }

  #show() {
    const { task, shown } = CHALLENGES[this.#place];
    const hadFocus = this.box.contains(document.activeElement);
    this.box.classList.toggle("is-met", this.#isMet);
    this.box.replaceChildren(
      element("p", {}, element("b", { text: this.#isMet ? "Done, if you drew what it says: " : "Fool it: " }), task, " ",
        element("button", { type: "button", class: "slim", text: "Another", onclick: () => this.#next() })),
      element("p", { class: "note", text: this.#isMet ? shown : "" }));
    if (hadFocus) this.box.querySelector("button").focus({ preventScroll: true });
  }
}
