// The training images that are nearest to what the network saw, and those of its second guess.

import { element, inkCanvas, percent } from "./elements.js";
import { labelOf } from "./answer.js";

const LEAST = 0.001; // probability of a second guess that is worth a word

// The second guess about a digit: { label, probability }.
export function rivalOf({ probabilities }, labels) {
  const [, second] = probabilities.map((probability, k) => ({ label: labels[k], probability })).sort((one, other) => other.probability - one.probability);
  return second;
}

export function showNearest(box, { images, nearest, of_rival: ofRival }, answer, labels) {
  const best = labelOf(answer, labels);
  const rival = rivalOf(answer, labels);
  const group = (title, found) => element("figure", {}, element("figcaption", { text: title }),
    element("ul", {}, ...found.map(({ label, pixels }) => element("li", { class: label === best ? "" : "is-other" },
      inkCanvas({ rows: 28, columns: 28, pixels }), element("small", { text: label })))));
  const chance = rival.probability < LEAST ? "" : `, ${percent(rival.probability)}`;
  box.replaceChildren(
    group(`Nearest of ${images.toLocaleString("en")} training images`, nearest),
    ...(ofRival.length ? [group(`Nearest ${rival.label}, the second guess${chance}`, ofRival)] : []));
}
