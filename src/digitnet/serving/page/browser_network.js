// The network that answers in a page without a server: the same model files, run by onnxruntime-web in this browser.

import * as ort from "../ort/ort.wasm.bundle.min.mjs";

const DECISIONS = ["accepted", "not sure", "not a digit"]; // as the model file numbers them

ort.env.wasm.numThreads = 1; // more need headers that plain file servers do not send
ort.env.wasm.wasmPaths = { wasm: new URL("../ort/ort-wasm-simd-threaded.wasm", import.meta.url).href };

async function load(path) {
  const reply = await fetch(path);
  if (!reply.ok) throw new Error(`${path}: expected a file of this page, found ${reply.status}. Copy the whole folder.`);
  return reply;
}

export const listNetworks = async () => (await load("models.json")).json();

let training = null; // { images, labels } of some training images, fetched when they are first asked for

async function fetchTrainingImages() {
  const reply = await fetch("models/training-images.bin");
  if (!reply.ok) throw new Error("they are not in this folder: MNIST was not at hand when it was written.");
  const bytes = new Uint8Array(await reply.arrayBuffer()); // for each image its label, then its 784 pixels
  const count = bytes.length / 785;
  return Array.from({ length: count }, (_, k) => ({ label: String(bytes[785 * k]), pixels: bytes.subarray(785 * k + 1, 785 * (k + 1)) }));
}

// As the server does it, but among fewer images.
async function findNearest(image, rival) {
  training ??= fetchTrainingImages().catch((error) => {
    training = null; // another try may succeed
    throw error;
  });
  const all = await training;
  const distances = all.map(({ pixels }) => pixels.reduce((sum, pixel, k) => sum + (pixel - image[k]) ** 2, 0));
  const order = all.map((_, k) => k).sort((one, other) => distances[one] - distances[other] || one - other);
  const nearestOf = (chosen, count) => chosen.slice(0, count).map((k) => all[k]);
  return { images: all.length, nearest: nearestOf(order, 5), of_rival: nearestOf(order.filter((k) => all[k].label === rival), 3) };
}

const opened = new Map(); // by name: a session takes memory that nothing gives back

export async function openNetwork(name) {
  if (!opened.has(name)) opened.set(name, await open(name));
  return opened.get(name);
}

async function open(name) {
  const path = `models/${encodeURIComponent(name)}`;
  if (typeof WebAssembly === "undefined") throw new Error("This page needs WebAssembly, which is turned off in this browser.");
  const described = await (await load(`${path}.json`)).json();
  const session = await ort.InferenceSession.create(await (await load(`${path}.onnx`)).arrayBuffer(), { executionProviders: ["wasm"] });
  const noImages = new ort.Tensor("float32", new Float32Array(0), [0, 28, 28]);
  const noInk = new ort.Tensor("uint8", new Uint8Array(1), [1, 1, 1, 1]); // onnxruntime-web can't multiply no crops

  async function answerOne({ rows, columns, pixels }, isRaw, isInside) {
    const given = isRaw
      ? { crops: noInk, images: new ort.Tensor("float32", Float32Array.from(pixels), [1, 28, 28]) }
      : { crops: new ort.Tensor("uint8", pixels, [1, rows, columns, 1]), images: noImages };
    const layers = isInside ? described.layers.map((_, k) => `layer_${k}`) : [];
    const found = await session.run(given, ["probabilities", "decision", "score", "normalised", ...layers]);
    const lastOf = ({ data, dims }) => data.slice(data.length - data.length / dims[0]); // images follow the crops
    return {
      probabilities: Array.from(lastOf(found.probabilities)),
      decision: DECISIONS[Number(lastOf(found.decision)[0])],
      score: lastOf(found.score)[0],
      image: Uint8Array.from(lastOf(found.normalised), Math.round),
      layers: layers.map((layer) => lastOf(found[layer])),
    };
  }

  let last = Promise.resolve(); // a session runs one question at a time

  return {
    ...described,
    answer(crops, { isRaw = false, isInside = false } = {}) {
      const work = async () => {
        const answers = [];
        for (const crop of crops) answers.push(await answerOne(crop, isRaw, isInside));
        return answers;
      };
      last = last.then(work, work);
      return last;
    },
    findNearest,
    findMistakes: async () => {
      const reply = await fetch(`${path}.mistakes.json`);
      if (!reply.ok) throw new Error("The mistakes are not in this folder: MNIST was not at hand when it was written.");
      return reply.json();
    },
  };
}
