// Elements, pictures and words that several parts of the page use.

export function element(name, options = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(options)) {
    if (key === "text") made.textContent = value;
    else if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value !== null && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

// 100.0% is only what is certain, as in `digitnet read`.
export function percent(share) {
  const rounded = `${(100 * share).toFixed(1)}%`;
  return rounded === "100.0%" && share < 1 ? "99.9%" : rounded;
}

// Black ink on a transparent canvas; the style sheet inverts it in the dark.
export function inkCanvas({ rows, columns, pixels }) {
  const canvas = element("canvas", { width: columns, height: rows, class: "ink" });
  const context = canvas.getContext("2d");
  const image = context.createImageData(columns, rows);
  pixels.forEach((ink, k) => { image.data[4 * k + 3] = ink; });
  context.putImageData(image, 0, 0);
  return canvas;
}
