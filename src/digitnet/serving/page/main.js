// Joins the parts of the page: what is drawn is asked of two networks, one that reads and one that is shown inside.

import { Ribbon, showAnswer, showBars, textOf } from "./answer.js";
import { Challenges } from "./challenges.js";
import { element } from "./elements.js";
import { showHowItReads } from "./how_it_reads.js";
import { Lesson } from "./lesson.js";
import { Mistakes } from "./mistakes.js";
import { Newest } from "./newest.js";
import { Pad } from "./pad.js";
import { readPicture, takePictures } from "./picture.js";
import { savePage } from "./save.js";
import { showWhatItSaw } from "./saw.js";
import { SEVEN, playStrokes } from "./seven.js";
import { explainWhy } from "./why.js";
import { cropOf, groupIntoDigits, rawImageOf } from "./strokes.js";

const isStatic = document.querySelector('meta[name="digitnet"][content="static"]') !== null;
const { listNetworks, openNetwork } = await import(isStatic ? "./browser_network.js" : "./network.js");

const at = (id) => document.getElementById(id);
const pad = new Pad(at("pad"), ask);
const ribbon = new Ribbon(at("ribbon"));
const challenges = new Challenges(at("challenge"));
const inside = at("how-it-reads");
const mistakes = new Mistakes(at("fails"), at("fails-note"), at("confusion"), lookInto);
const answering = new Newest(answer);
const explaining = new Newest(explain, { rest: 250 });
let reader = null; // the network whose answer is shown in large
let shown = null; // the network that is shown inside, with `update`, which shows new numbers
let chosen = null; // index of the digit of a number that is looked at; null for the last one drawn
let seen = null; // the digit that was answered about last: { strokes, crop, image, answer, isRaw }
let hasBegun = false; // whether the person draws, and not the page itself
let count = 0; // of digits that are drawn

function ask() {
  if (reader) answering.run().then(() => say(""), (error) => say(error.message));
}

async function answer() {
  const strokes = pad.strokes;
  const isRaw = at("raw").checked;
  at("clear").disabled = at("save").disabled = pad.isEmpty;
  const groups = isRaw && strokes.length ? [strokes] : groupIntoDigits(strokes);
  if (groups.length === 0) {
    showNothing();
    return;
  }
  if (groups.length !== count) ribbon.clear(); // it is about one digit
  count = groups.length;
  const crops = isRaw ? [rawImageOf(strokes, pad.columns, pad.rows)] : groups.map((group) => cropOf(group));
  const last = groups.findIndex((group) => group.includes(strokes.at(-1)));
  const index = chosen !== null && chosen < groups.length ? chosen : last;
  const answers = await reader.answer(crops, { isRaw });
  showAnswer(at("answer"), answers, reader.labels, index, (k) => { chosen = k; ask(); });
  showBars(at("bars"), answers[index], reader.labels, reader.sure);
  ribbon.add(textOf(answers[index], reader.labels));
  seen = { strokes: groups[index], crop: crops[index], image: answers[index].image, answer: answers[index], isRaw };
  at("lesson").hidden = isRaw || isStatic;
  if (hasBegun && !pad.isDown) challenges.judge({ answer: answers[index], labels: reader.labels, isRaw });
  document.body.dataset.answer = answers.map((one) => textOf(one, reader.labels)).join(" ");
  explaining.run().catch((error) => say(error.message));
}

// Show what the network saw, and its inside: slower than the answer, which does not wait for it.
async function explain() {
  const of = seen;
  if (!of) return;
  const why = pad.isDown || of.isRaw ? null : await explainWhy(of.strokes, of.answer, reader);
  if (of !== seen) return; // something else is drawn by now
  showWhatItSaw(at("saw"), of, why);
  await showInside(of.crop, of.isRaw);
}

async function showInside(crop, isRaw) {
  if (!shown.layers.length) return;
  const [found] = await shown.answer([crop], { isRaw, isInside: true });
  shown.update(found.layers, { isChanging: pad.isDown });
  const text = textOf(found, shown.labels);
  at("shown-answer").textContent = text === "?" ? `${shown.name} is not sure.` : `${shown.name} reads: ${text}.`;
}

// Look into an image of 28 x 28 pixels that is not drawn here.
function lookInto(image) {
  showInside(image, true).then(() => inside.scrollIntoView(), (error) => say(error.message));
}

function showNothing() {
  [chosen, seen, count] = [null, null, 0];
  showAnswer(at("answer"), [], reader.labels, 0, () => {});
  showBars(at("bars"), null, reader.labels, reader.sure);
  ribbon.clear();
  at("saw").replaceChildren();
  at("lesson").hidden = true;
  at("shown-answer").textContent = "";
  document.body.dataset.answer = "";
}

function say(sentence) {
  at("failure").textContent = sentence;
  at("failure").hidden = sentence === "";
}

// ---- Networks ---------------------------------------------------------------------------------------------------

async function chooseReader(name) {
  reader = await openNetwork(name);
  ribbon.clear();
}

async function chooseShown(name) {
  const network = await openNetwork(name);
  const hasLayers = network.layers.length > 0;
  inside.classList.toggle("is-empty", !hasLayers);
  at("no-inside").hidden = hasLayers;
  const data = { labels: [...network.labels, "not a digit"], examples: [{ title: "", probabilities: [] }], layers: network.layers };
  shown = { ...network, update: hasLayers ? showHowItReads(inside, data) : () => {} };
  mistakes.show(shown);
}

async function start() {
  const names = await listNetworks();
  const isNamed = names[0] !== "blog";
  for (const [id, first, choose] of [["reader", isNamed ? names[0] : "reader", chooseReader], ["shown", names[0], chooseShown]]) {
    at(id).replaceChildren(...names.map((name) => element("option", { value: name, text: name, selected: name === first })));
    at(id).addEventListener("change", () => choose(at(id).value).then(ask, (error) => say(error.message)));
    await choose(first);
  }
  showNothing();
  if (!isStatic) new Lesson(reader, { labels: at("labels"), kept: at("kept") }, () => seen.crop, say);
  const begin = () => {
    hasBegun = true;
    document.body.classList.add("has-drawn");
  };
  if (pad.isEmpty) playStrokes(pad, SEVEN, begin);
  else begin();
}

// ---- Tools ------------------------------------------------------------------------------------------------------

at("pad").addEventListener("pointerdown", () => { chosen = null; });
at("undo").addEventListener("click", () => pad.undo());
at("clear").addEventListener("click", () => pad.clear());
at("eraser").addEventListener("click", () => {
  pad.erasing = !pad.erasing;
  at("eraser").setAttribute("aria-pressed", String(pad.erasing));
});
at("width").addEventListener("input", () => { pad.width = Number(at("width").value); });
at("raw").addEventListener("change", () => {
  at("raw-note").hidden = !at("raw").checked;
  ask();
});
at("save").addEventListener("click", () => savePage(`it reads ${document.body.dataset.answer || "nothing"}`));
at("no-pictures").hidden = !isStatic;
at("drop").hidden = isStatic;
if (!isStatic) takePictures(at("drop"), at("file"), (picture) => {
  const options = Object.fromEntries([
    ["digits", at("digits").value], ["expect", at("expect").value], ["single", at("single").checked ? "true" : ""],
  ].filter(([, value]) => value));
  readPicture(picture, reader, options, at("reading"));
});

start().catch((error) => say(error.message));
