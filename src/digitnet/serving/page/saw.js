// What the network saw: the ink as it was drawn, as it is lifted off the paper, and in 28 x 28 pixels.

import { element, inkCanvas } from "./elements.js";
import { cropOf } from "./strokes.js";

export function showWhatItSaw(list, { strokes, crop, image, isRaw }, why = null) {
  const stages = isRaw ? [["Shrunk as it is", { rows: 28, columns: 28, pixels: image }, "28 x 28"]] : [
    ["Your ink", cropOf(strokes, { asDrawn: true }), ""],
    ["Lifted", crop, "strokes as thick as MNIST's"],
    ["28 x 28", { rows: 28, columns: 28, pixels: image }, "20 pixels high, centred"],
  ];
  list.classList.toggle("is-new", why !== null && !list.dataset.wasAnimated); // once, when the pen first rests
  if (why) list.dataset.wasAnimated = "yes";
  list.replaceChildren(...stages.map(([name, picture, note]) => element("li", {},
    inkCanvas(picture), element("b", { text: name }), element("small", { text: note }))),
  ...(why ? [element("li", { class: "why" }, why.picture, element("b", { text: "Why" }), element("small", { text: why.sentence }))] : []));
}
