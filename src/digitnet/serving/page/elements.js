// Elements, pictures and words that several parts of the page use.

import { element } from "./how_it_reads.js"; // which the report has inside it, so it can import nothing

export { element };

// 100.0% is only what is certain, as in `digitnet read`.
export function percent(share) {
  const rounded = `${(100 * share).toFixed(1)}%`;
  return rounded === "100.0%" && share < 1 ? "99.9%" : rounded;
}

export const readsDigits = ({ labels }) => labels.join("") === "0123456789";

// Black ink on a transparent canvas; the style sheet inverts it in the dark.
export function inkCanvas({ rows, columns, pixels }) {
  const canvas = element("canvas", { width: columns, height: rows, class: "ink" });
  const context = canvas.getContext("2d");
  const image = context.createImageData(columns, rows);
  pixels.forEach((ink, k) => { image.data[4 * k + 3] = ink; });
  context.putImageData(image, 0, 0);
  return canvas;
}
