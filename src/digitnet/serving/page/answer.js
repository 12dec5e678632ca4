// The answer in large, its ten bars with the threshold, and how the guess changed.

import { element, percent } from "./elements.js";

const KINDS = { accepted: "is-sure", "not sure": "is-unsure", "not a digit": "is-none" };

export const textOf = (answer, labels) =>
  answer.decision === "not a digit" ? "not a digit" : answer.decision === "accepted" ? labelOf(answer, labels) : "?";

export const labelOf = (answer, labels) => labels[indexOfBest(answer)];
export const indexOfBest = ({ probabilities }) => probabilities.indexOf(Math.max(...probabilities));

// Probability that it is a digit, and this one.
export const confidenceOf = (answer) =>
  Math.max(...answer.probabilities) / (1 + Math.exp(Math.min(-answer.score, 50)));

// Show the digits' answers; `choose` is called with the index of one that is chosen.
export function showAnswer(output, answers, labels, chosen, choose) {
  if (answers.length === 0) {
    output.replaceChildren();
    return;
  }
  const marks = answers.map((answer, k) => element(answers.length > 1 ? "button" : "span", {
    class: `mark ${KINDS[answer.decision]}`, type: answers.length > 1 ? "button" : null,
    "aria-pressed": answers.length > 1 ? String(k === chosen) : null,
    onclick: () => choose(k), text: answer.decision === "not a digit" && answers.length > 1 ? "–" : textOf(answer, labels),
    "aria-label": `${textOf(answer, labels) === "?" ? "not sure" : textOf(answer, labels)}`,
  }));
  const hadFocus = output.contains(document.activeElement);
  output.replaceChildren(element("span", { class: "marks", style: `--count: ${marks.length}` }, ...marks), element("span", { class: "verdict", text: verdictOn(answers[chosen], labels) }));
  if (hadFocus) output.querySelector('[aria-pressed="true"]')?.focus({ preventScroll: true });
}

function verdictOn(answer, labels) {
  const best = `${labelOf(answer, labels)}, ${percent(confidenceOf(answer))}`;
  return { accepted: `It reads ${best}.`, "not sure": `Not sure: perhaps ${best}.`, "not a digit": "It takes this for no digit." }[answer.decision];
}

// A bar for each label; the line is the probability from which an answer is accepted.
export function showBars(box, answer, labels, sure) {
  const best = answer && answer.decision !== "not a digit" ? indexOfBest(answer) : -1;
  const isDigit = answer ? 1 / (1 + Math.exp(Math.min(-answer.score, 50))) : 0;
  const shares = answer ? answer.probabilities.map((share) => share * isDigit) : labels.map(() => 0);
  box.setAttribute("aria-label", answer
    ? `Probabilities: ${labels.map((label, k) => `${label} ${percent(shares[k])}`).join(", ")}. Accepted from ${percent(sure)}.`
    : "Probabilities: nothing is drawn yet.");
  box.replaceChildren(
    ...labels.map((label, k) => element("span", { class: k === best ? "is-best" : "" },
      element("b", { text: label }), element("span", { class: "bar" }, element("i", { style: `width: ${(100 * shares[k]).toFixed(2)}%` })),
      element("small", { text: answer ? percent(shares[k]) : "" }))),
    element("p", { class: "key", style: `--sure: ${sure}` }, element("i"), element("small", { text: `accepted from ${Math.round(100 * sure)}%` })));
}

// How the guess changed while this digit was drawn: "8 → 3".
export class Ribbon {
  #guesses = [];

  constructor(box) { this.box = box; }

  clear() { this.#guesses = []; this.#show(); }

  add(text) {
    if (this.#guesses.at(-1) === text) return;
    this.#guesses = [...this.#guesses, text].slice(-12);
    this.#show();
  }

  #show() {
    this.box.replaceChildren(...this.#guesses.map((text) => element("span", { text: text === "not a digit" ? "–" : text })));
  }
}
