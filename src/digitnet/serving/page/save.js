// "Save page": one HTML file with the drawing, the answer and the maps, which opens anywhere and runs no script.

const PARTS = ["#pad", ".answer", ".saw", "#how-it-reads"];
const LEFT_OUT = "input, select, label, button.slim, #challenge, .note, .how";

// Copy a part of the page, with a picture for each canvas and without what can't be used there.
function copyOf(part) {
  const copy = part.cloneNode(true);
  const canvases = part.matches("canvas") ? [part] : [...part.querySelectorAll("canvas")];
  const copies = part.matches("canvas") ? [copy] : [...copy.querySelectorAll("canvas")];
  let whole = copy;
  copies.forEach((canvas, k) => {
    const image = document.createElement("img");
    image.src = canvases[k].id === "pad" ? inBlack(canvases[k]) : canvases[k].toDataURL();
    image.className = canvas.className;
    image.alt = "";
    if (canvas === copy) {
      image.alt = "The drawing";
      image.className = "ink"; // which the style sheet inverts in the dark
      image.width = part.clientWidth;
      whole = image;
    } else {
      canvas.replaceWith(image);
    }
  });
  if (whole === copy) copy.querySelectorAll(LEFT_OUT).forEach((one) => one.remove());
  return whole.outerHTML;
}

// The drawing in black, whatever the colours of the page are now.
function inBlack(pad) {
  const copy = document.createElement("canvas");
  [copy.width, copy.height] = [pad.width, pad.height];
  const context = copy.getContext("2d");
  context.drawImage(pad, 0, 0);
  context.globalCompositeOperation = "source-in";
  context.fillRect(0, 0, copy.width, copy.height);
  return copy.toDataURL();
}

const escape = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

function styles() {
  const rules = [...document.styleSheets].flatMap((sheet) => [...sheet.cssRules].map((rule) => rule.cssText));
  return rules.join("\n").replaceAll(/(?<![\w-])canvas(?![\w-])/g, "img");
}

export function savePage(title) {
  const scheme = getComputedStyle(document.documentElement).colorScheme;
  const page = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="color-scheme" content="${scheme}"><title>digitnet: ${escape(title)}</title>
<style>${styles()}</style></head>
<body><header><p class="name">digitnet</p></header><main>${PARTS.map((name) => copyOf(document.querySelector(name))).join("\n")}</main></body></html>
`;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([page], { type: "text/html" }));
  link.download = "digitnet-drawing.html";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
