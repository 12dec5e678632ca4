// A picture that was pasted, dropped or chosen: it is read, and shown with a box around each digit.

import { element, percent } from "./elements.js";

const COLOURS = { accepted: "is-sure", "not sure": "is-unsure", "not a digit": "is-none" };

let newest = null; // the picture that was taken last

export async function readPicture(picture, network, options, output) {
  newest = picture;
  output.replaceChildren(element("p", { class: "note", text: "Reading..." }));
  const address = URL.createObjectURL(picture);
  const image = element("img", { src: address, alt: "The picture that was read" });
  try {
    const reading = await network.readPicture(picture, options);
    const canBeShown = await image.decode().then(() => true, () => false); // a TIFF or a PDF can't, in most browsers
    if (picture !== newest) return;
    output.replaceChildren(
      element("p", { class: "text", text: reading.text ? reading.text.replaceAll("\n", " / ") : "No digit was found." }),
      reading.pages > 1
        ? element("p", { class: "note", text: `This is the first of ${reading.pages} pages. The command digitnet read --page 2 reads the next.` })
        : "",
      canBeShown
        ? element("div", { class: "boxed" }, image, ...boxesOf(reading, image))
        : element("p", { class: "note", text: "The browser can't show this kind of picture." }));
  } catch (error) {
    if (picture === newest) output.replaceChildren(element("p", { class: "failure", text: error.message }));
  } finally {
    URL.revokeObjectURL(address);
  }
}

function boxesOf(reading, image) {
  const share = (length, whole) => `${(100 * length) / whole}%`;
  return reading.lines.flatMap((line) => line.digits).map(({ box, label, decision, probability }) => element("span", {
    class: `box ${COLOURS[decision]}`,
    style: `left: ${share(box.left, image.naturalWidth)}; top: ${share(box.top, image.naturalHeight)}; ` +
      `width: ${share(box.width, image.naturalWidth)}; height: ${share(box.height, image.naturalHeight)}`,
  }, element("b", { text: decision === "accepted" ? label : decision === "not sure" ? `${label}?` : "none", title: percent(probability) })));
}

// Call `use` with each picture that is pasted into the page, dropped on it, or chosen.
export function takePictures(drop, file, use) {
  const first = (files) => { if (files.length) use(files[0]); };
  file.addEventListener("change", () => { first(file.files); file.value = ""; });
  document.addEventListener("paste", (event) => first(event.clipboardData.files));
  document.addEventListener("dragover", (event) => { event.preventDefault(); drop.classList.add("is-over"); });
  document.addEventListener("dragleave", () => drop.classList.remove("is-over"));
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("is-over");
    first(event.dataTransfer.files);
  });
}
