// Why, and why not: which part of the ink the answer rests on. Each quarter is left out in turn, and the network asked
// again (occlusion: Zeiler and Fergus 2014, arXiv 1311.2901).

import { confidenceOf, indexOfBest, labelOf } from "./answer.js";
import { element } from "./elements.js";
import { MOST, boxOf, cropOf } from "./strokes.js";

const PIECES = 12; // of a digit's ink, alike in length
const BESIDE = 1; // pieces on each side that are left out with one: less than a quarter seldom decides
const MUCH = 0.1; // probability that a part must cost to be worth a word

const lengthOf = (points) => points.slice(1).reduce((total, point, k) => total + Math.hypot(point.x - points[k].x, point.y - points[k].y), 0);

// Add points between those that are far apart, as a quick hand leaves them.
function fill(points, spacing) {
  return points.flatMap((end, k) => {
    const start = points[Math.max(0, k - 1)];
    const count = Math.max(1, Math.ceil(Math.hypot(end.x - start.x, end.y - start.y) / spacing));
    const between = (step) => ({ x: start.x + ((end.x - start.x) * step) / count, y: start.y + ((end.y - start.y) * step) / count });
    return Array.from({ length: count }, (_, step) => between(step + 1));
  });
}

// Cut strokes into pieces: { piece, rest }, the rest without the piece and its neighbours.
function cut(strokes) {
  const each = Math.max(1, strokes.reduce((total, stroke) => total + lengthOf(stroke.points), 0) / PIECES);
  const pieces = strokes.flatMap((stroke) => {
    const found = [[stroke.points[0]]];
    for (const point of fill(stroke.points, each / 4).slice(1)) {
      found.at(-1).push(point);
      if (lengthOf(found.at(-1)) >= each) found.push([point]);
    }
    return found.filter((points) => points.length > 1 || found.length === 1).map((points) => ({ ...stroke, points }));
  });
  return pieces.map((piece, k) => ({ piece, rest: pieces.filter((_, n) => Math.abs(n - k) > BESIDE) })).filter(({ rest }) => rest.length > 0);
}

// Ask about the drawing without each quarter, and show the one that costs the answer most.
export async function explainWhy(strokes, answer, network) {
  const cuts = cut(strokes);
  if (cuts.length < 2 || cuts.length > MOST) return null;
  const best = indexOfBest(answer);
  const without = await network.answer(cuts.map(({ rest }) => cropOf(rest)));
  const shareOf = (one) => one.probabilities[best] * confidenceOf(one) / Math.max(...one.probabilities);
  const costs = without.map((one) => shareOf(answer) - shareOf(one));
  const dearest = costs.indexOf(Math.max(...costs));
  const isDear = cuts.map((_, k) => costs[dearest] >= MUCH && Math.abs(k - dearest) <= BESIDE);
  return { picture: draw(cuts, isDear), sentence: tell(without[dearest], costs[dearest], answer, network.labels) };
}

function tell(one, cost, answer, labels) {
  if (cost < MUCH) return "no quarter of the ink decides alone";
  if (one.decision === "not a digit") return "without the orange part: no digit";
  const other = labelOf(one, labels);
  return other === labelOf(answer, labels) ? `without the orange part: ${other}, less sure` : `without the orange part: ${other}${one.decision === "accepted" ? "" : "?"}`;
}

// Draw the ink in grey, and the quarter that costs most in orange.
function draw(cuts, isDear) {
  const box = boxOf(cuts.map(({ piece }) => piece));
  const widest = Math.max(...cuts.map(({ piece }) => piece.width));
  const side = Math.max(box.width, box.height) + 2 * widest;
  const canvas = element("canvas", { width: 192, height: 192 });
  const context = canvas.getContext("2d");
  const scale = 192 / side;
  context.setTransform(scale, 0, 0, scale, 96 - scale * (box.left + box.right) / 2, 96 - scale * (box.top + box.bottom) / 2);
  context.lineCap = context.lineJoin = "round";
  cuts.forEach(({ piece }, k) => {
    context.strokeStyle = isDear[k] ? "#d55e00" : "#b9bcc0";
    context.lineWidth = piece.width;
    context.beginPath();
    piece.points.forEach((point, n) => (n ? context.lineTo(point.x, point.y) : context.moveTo(point.x, point.y)));
    context.stroke();
  });
  return canvas;
}
