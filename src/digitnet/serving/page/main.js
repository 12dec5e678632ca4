// Joins the parts of the page: what is drawn is asked of two networks, one that reads and one that is shown inside.

import { Ribbon, showAnswer, showBars, textOf } from "./answer.js";
import { Challenges } from "./challenges.js";
import { Checkpoints } from "./checkpoints.js";
import { element, readsDigits } from "./elements.js";
import { showHowItReads } from "./how_it_reads.js";
import { Lesson } from "./lesson.js";
import { Mistakes } from "./mistakes.js";
import { rivalOf, showNearest } from "./nearest.js";
import { Newest } from "./newest.js";
import { Pad } from "./pad.js";
import { readPicture, takePictures } from "./picture.js";
import { savePage } from "./save.js";
import { showWhatItSaw } from "./saw.js";
import { SEVEN, playStrokes } from "./seven.js";
import { Teacher } from "./teach.js";
import { explainWhy } from "./why.js";
import { MOST, cropOf, groupIntoDigits, rawImageOf } from "./strokes.js";

const isStatic = document.querySelector('meta[name="digitnet"][content="static"]') !== null;
const { listNetworks, openNetwork } = await import(isStatic ? "./browser_network.js" : "./network.js");

const ADAPTED = "adapted"; // as the server calls it

const at = (id) => document.getElementById(id);
if (!at("pad").getContext?.("2d")) {
  say("This browser can't draw on a canvas, which this page is made of. Use another, or read a picture with: digitnet read photo.jpg");
  throw new Error("no canvas");
}
const pad = new Pad(at("pad"), ask, (text) => { at("pen").textContent = text; });
const ribbon = new Ribbon(at("ribbon"));
const challenges = new Challenges(at("challenge"));
const inside = at("how-it-reads");
const mistakes = new Mistakes(at("fails"), at("fails-note"), at("confusion"), lookInto);
const checkpoints = new Checkpoints(at("checkpoints"), openNetwork, showCheckpoint);
const answering = new Newest(answer);
const explaining = new Newest(explain, { rest: 250 });
let reader = null; // the network whose answer is shown in large
let shown = null; // the network that is shown inside, with `update`, which shows new numbers
let looked = null; // what was looked into last: { crop, isRaw }
let chosen = null; // a stroke of the digit of a number that is looked at; null for the last one drawn
let seen = null; // the digit that was answered about last: { strokes, crop, image, answer, network, isRaw }
let hasBegun = false; // whether the person draws, and not the page itself
let count = 0; // of digits that are drawn

function ask() {
  if (hasBegun && !pad.isDown) keepDrawing();
  if (reader) answering.run().then((isDone) => { if (isDone) say(""); }, (error) => say(error.message));
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
  const indexOf = (stroke) => groups.findIndex((group) => group.includes(stroke));
  const index = indexOf(chosen) >= 0 ? indexOf(chosen) : indexOf(strokes.at(-1));
  if (crops.length > MOST) throw new Error(`That is more than ${MOST} marks. Clear some of them.`);
  const network = reader; // another may be chosen meanwhile
  const { labels, sure } = network;
  const answers = await network.answer(crops, { isRaw });
  showAnswer(at("answer"), answers, labels, index, (k) => { chosen = groups[k][0]; ask(); });
  showBars(at("bars"), answers[index], labels, sure);
  ribbon.add(textOf(answers[index], labels));
  seen = { strokes: groups[index], crop: crops[index], image: answers[index].image, answer: answers[index], network, isRaw };
  at("lesson").hidden = isRaw || isStatic || !hasBegun;
  if (hasBegun && !pad.isDown) challenges.judge({ answer: answers[index], labels, isRaw });
  document.body.dataset.answer = answers.map((one) => textOf(one, labels)).join(" ");
  explaining.run().catch((error) => say(error.message));
}

// Show what the network saw, and its inside: slower than the answer, which does not wait for it.
async function explain() {
  const of = seen;
  if (!of) return;
  const why = pad.isDown || of.isRaw ? null : await explainWhy(of.strokes, of.answer, of.network);
  if (of !== seen) return; // something else is drawn by now
  showWhatItSaw(at("saw"), of, why);
  await showInside(of.crop, of.isRaw);
  if (!pad.isDown) await findNearest(of);
}

async function findNearest(of) {
  const { answer: found, image, network } = of;
  if (!readsDigits(network)) { // MNIST says nothing about other labels
    at("near").replaceChildren();
    return;
  }
  try {
    const near = await network.findNearest(image, rivalOf(found, network.labels).label);
    if (of === seen) showNearest(at("near"), near, found, network.labels);
  } catch (error) {
    if (of === seen) at("near").replaceChildren(element("p", { class: "note", text: `Nearest training images: ${error.message}` }));
  }
}

async function showInside(crop, isRaw) {
  looked = { crop, isRaw };
  const network = shown;
  if (!network?.layers.length) return;
  const of = seen;
  const [found] = await network.answer([crop], { isRaw, isInside: true });
  if (network !== shown || of !== seen) return; // another is shown, or something else drawn, by now
  network.update(found.layers, { isChanging: pad.isDown });
  const text = textOf(found, network.labels);
  at("shown-answer").textContent = text === "?" ? `${network.title} is not sure.` : `${network.title} reads: ${text}.`;
  if (!pad.isDown) await checkpoints.judge(crop, isRaw);
}

// Look into the network as it was at another step of its training.
function showCheckpoint(network, title) {
  const { name, draw } = shown;
  shown = { ...network, name, title, draw, update: (arrays, options) => draw(arrays, { ...options, learned: network.layers }) };
  if (looked) showInside(looked.crop, looked.isRaw).catch((error) => say(error.message));
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
  at("near").replaceChildren();
  at("lesson").hidden = true;
  at("shown-answer").textContent = "";
  document.body.dataset.answer = "";
}

// Keep the drawing in this tab, so that loading the page again does not lose it; closing the tab does.
function keepDrawing() {
  try {
    sessionStorage.setItem("strokes", JSON.stringify(pad.strokes));
  } catch {
    // without storage it is lost, as it was before
  }
}

function findDrawing() {
  try {
    return JSON.parse(sessionStorage.getItem("strokes")) ?? [];
  } catch {
    return [];
  }
}

function say(sentence) {
  at("failure").textContent = sentence;
  at("failure").hidden = sentence === "";
}

// ---- Networks ---------------------------------------------------------------------------------------------------

async function chooseReader(name) {
  const network = await openNetwork(name);
  if (at("reader").value !== name) return; // another was chosen meanwhile
  reader = network;
  ribbon.clear();
}

async function chooseShown(name) {
  const network = await openNetwork(name);
  if (at("shown").value !== name) return;
  const hasLayers = network.layers.length > 0;
  inside.classList.toggle("is-empty", !hasLayers);
  inside.querySelector(".strip").replaceChildren();
  inside.querySelector(".panel-of-layer").replaceChildren();
  at("shown-answer").textContent = "";
  at("no-inside").hidden = hasLayers;
  const data = { labels: [...network.labels, "not a digit"], examples: [{ title: "", probabilities: [] }], layers: network.layers };
  const draw = hasLayers ? showHowItReads(inside, data) : () => {};
  shown = { ...network, title: network.name, draw, update: draw };
  checkpoints.offer(network);
  mistakes.show(shown);
}

// Let a menu choose; where that fails, it goes back to what is in use.
async function follow(id, choose, current) {
  try {
    await choose(at(id).value);
    ask();
  } catch (error) {
    at(id).value = current().name;
    say(error.message);
  }
}

// ---- The person's own digits ------------------------------------------------------------------------------------

function teach() {
  const teacher = new Teacher(reader, at("teach"), () => reader, useAdapted);
  const lesson = new Lesson(reader, { labels: at("labels"), kept: at("kept") }, {
    seen: () => seen,
    finish: (isDone) => { if (count === 1) pad.finish(isDone); }, // so that many can be drawn, one after the other
    say,
    counted: (counts) => teacher.count(counts),
  });
  at("pad").addEventListener("keydown", (event) => {
    const isShortcut = event.repeat || event.ctrlKey || event.metaKey || event.altKey;
    if (!isShortcut && !at("lesson").hidden) lesson.keep(event.key);
  });
}

// A network was adapted to the person's digits from the one called `from`: offer it, and read with it if it is known
// to be better; go back to the other if it is not, but was read with before.
async function useAdapted(isBetter, from) {
  for (const id of ["reader", "shown"]) {
    const isThere = [...at(id).options].some(({ value }) => value === ADAPTED);
    if (!isThere) at(id).append(element("option", { value: ADAPTED, text: ADAPTED }));
  }
  if (isBetter) at("reader").value = ADAPTED;
  else if (at("reader").value === ADAPTED) at("reader").value = from;
  await follow("reader", chooseReader, () => reader);
  if (shown.name === ADAPTED) await follow("shown", chooseShown, () => shown); // its weights are new
}

async function start() {
  const names = await listNetworks();
  const isNamed = names[0] !== "blog";
  const menus = [
    ["reader", isNamed ? names[0] : "reader", chooseReader, () => reader],
    ["shown", names[0], chooseShown, () => shown],
  ];
  for (const [id, first, choose, current] of menus) {
    at(id).replaceChildren(...names.map((name) => element("option", { value: name, text: name, selected: name === first })));
    at(id).addEventListener("change", () => follow(id, choose, current));
    await choose(first);
  }
  say("");
  showNothing();
  if (!isStatic) teach();
  const begin = () => {
    hasBegun = true;
    document.body.classList.add("has-drawn");
  };
  const before = findDrawing();
  if (pad.isEmpty && before.length) pad.show(before, { undoable: false });
  if (pad.isEmpty) {
    playStrokes(pad, SEVEN, begin);
  } else {
    begin();
    ask();
  }
}

// ---- Tools ------------------------------------------------------------------------------------------------------

at("pad").addEventListener("pointerdown", () => { chosen = null; });
at("undo").addEventListener("click", () => pad.undo());
at("clear").addEventListener("click", () => {
  at("pad").focus({ preventScroll: true }); // the button turns itself off
  pad.clear();
});
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
