// Read crops with onnxruntime-web: node answer.mjs MODEL CROPS.json, where onnxruntime-web is installed.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const ort = createRequire(join(process.cwd(), "here.js"))("onnxruntime-web");
ort.env.wasm.numThreads = 1;
const [model, crops] = process.argv.slice(2).map((path) => readFileSync(path));
const session = await ort.InferenceSession.create(model, { executionProviders: ["wasm"] });
const answers = [];
for (const { shape, bytes } of JSON.parse(crops)) {
  const pixels = Uint8Array.from(Buffer.from(bytes, "base64"));
  const answer = await session.run({
    crops: new ort.Tensor("uint8", pixels, [1, ...shape]),
    images: new ort.Tensor("float32", new Float32Array(0), [0, 28, 28]),
  });
  answers.push({
    probabilities: [...answer.probabilities.data],
    decision: Number(answer.decision.data[0]),
    score: answer.score.data[0],
  });
}
console.log(JSON.stringify(answers));
