// The network that answers: one that the server runs. That of browser_network.js has the same functions, but can
// neither read whole pictures nor keep what it is taught.

const encode = (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
const bytesOf = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const floatsOf = (text) => new Float32Array(bytesOf(text).buffer);

const toPlain = ({ rows, columns, pixels }) => ({ rows, columns, pixels: encode(pixels) });
const JSON_TYPE = { "Content-Type": "application/json" };

async function ask(address, options) {
  let reply;
  try {
    reply = await fetch(address, options);
  } catch {
    throw new Error("The server does not answer. Start it again with: digitnet serve");
  }
  const content = await reply.json().catch(() => ({}));
  if (!reply.ok) {
    const sentence = content.error ?? `The server answered ${reply.status}. Look at its terminal.`;
    throw Object.assign(new Error(sentence), { status: reply.status });
  }
  return content;
}

export const listNetworks = () => ask("api/models/");

// { name, labels, sure, layers, answer(crops, options), readPicture(picture, options) }
export async function openNetwork(name) {
  const described = await ask(`api/models/${encodeURIComponent(name)}`);
  const address = `api/models/${encodeURIComponent(name)}/answers`;
  return {
    ...described,

    // Answer about each crop: { probabilities, decision, score, image, layers }; layers are there only if asked for.
    async answer(crops, { isRaw = false, isInside = false } = {}) {
      const question = {
        raw: isRaw, inside: isInside,
        crops: crops.map(toPlain),
      };
      const answers = await ask(address, {
        method: "POST", headers: JSON_TYPE, body: JSON.stringify(question),
      });
      return answers.map((one) => ({ ...one, image: bytesOf(one.image), layers: one.layers.map(floatsOf) }));
    },

    // The test images that it reads wrongly: { images, counts, mistakes }.
    findMistakes: () => ask(`api/models/${encodeURIComponent(name)}/mistakes`),

    // The training images nearest to an image of 28 x 28 pixels: { images, nearest, of_rival }.
    async findNearest(image, rival) {
      const question = { image: toPlain({ rows: 28, columns: 28, pixels: image }), rival };
      const { images, nearest, of_rival: ofRival } = await ask("api/nearest", { method: "POST", headers: JSON_TYPE, body: JSON.stringify(question) });
      const decode = (found) => found.map((one) => ({ ...one, pixels: bytesOf(one.image) }));
      return { images, nearest: decode(nearest), of_rival: decode(ofRival) };
    },

    keepOwn: (crop, label) => ask("api/own", { method: "POST", headers: JSON_TYPE, body: JSON.stringify({ crop: toPlain(crop), label }) }),
    takeBackOwn: (label, name) => ask(`api/own/${label}/${name}`, { method: "DELETE" }),
    countOwn: () => ask("api/own"),
    ownAddress: (format) => `api/own/digits.${format}`,

    // Learn from the kept digits: { state: "idle" | "running" | "done" | "failed", progress, result, error }.
    startAdaptation: (model) => ask("api/adaptation", { method: "POST", headers: JSON_TYPE, body: JSON.stringify({ model }) }),
    readAdaptation: () => ask("api/adaptation"),

    // Read a picture, a Blob, as `digitnet read --format json` does.
    readPicture: (picture, options) => ask(
      `v1/read?${new URLSearchParams({ model: name, ...options })}`, { method: "POST", body: picture }),
  };
}
