// Strokes, digits and crops: pure functions, apart from the canvas that a crop is drawn on.
//
// A stroke is { width, points }: points { x, y } and the pen's width, in units of the drawing area's side / SIDE.

export const MOST = 32; // crops that are answered at once

export const SIDE = 400; // units of the drawing area's shorter side

const BESIDE = 0.5; // of the narrower stroke's width: strokes that share so many columns are of one digit
const TOUCHING = 0.1; // likewise, where they touch
const [THINNEST, THICKEST] = [0.11, 0.15]; // of a digit's longer side: strokes as MNIST's writers have them
const LONGEST = 100; // pixels of a crop's longer side, without its edge
const EDGE = 10; // pixels of paper around the ink, so that ink covers less than paper: so the model tells them apart

export function boxOf(strokes) {
  const xs = strokes.flatMap((stroke) => stroke.points.map((point) => point.x));
  const ys = strokes.flatMap((stroke) => stroke.points.map((point) => point.y));
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  return { left, right, top, bottom, width: right - left, height: bottom - top };
}

// Measure how far a point is from the middle of a stroke's line.
function distanceTo({ points }, { x, y }) {
  return Math.min(...points.map((end, k) => {
    const start = points[Math.max(0, k - 1)];
    const [dx, dy] = [end.x - start.x, end.y - start.y];
    const along = Math.min(1, Math.max(0, ((x - start.x) * dx + (y - start.y) * dy) / (dx * dx + dy * dy || 1)));
    return Math.hypot(x - start.x - along * dx, y - start.y - along * dy);
  }));
}

// Measure how far two strokes' lines are apart; 0 where they cross.
export function distanceBetween(one, other) {
  const edges = ({ points }) => points.slice(1).map((end, k) => [points[k], end]);
  const side = ([a, b], p) => (b.x - a.x) * (p.y - a.y) - (b.y - a.y) * (p.x - a.x);
  const cross = (a, b) => side(a, b[0]) * side(a, b[1]) < 0 && side(b, a[0]) * side(b, a[1]) < 0;
  const others = edges(other);
  if (edges(one).some((a) => others.some((b) => cross(a, b)))) return 0;
  return Math.min(...one.points.map((point) => distanceTo(other, point)), ...other.points.map((point) => distanceTo(one, point)));
}

// Group the strokes into digits, from left to right.
export function groupIntoDigits(strokes) {
  let groups = strokes.filter((stroke) => stroke.points.length).map((stroke) => [stroke]);
  for (let joined = true; joined;) {
    joined = false;
    for (let one = 0; one < groups.length && !joined; one += 1) {
      for (let other = one + 1; other < groups.length && !joined; other += 1) {
        if (belongTogether(groups[one], groups[other])) {
          groups = groups.filter((_, k) => k !== one && k !== other).concat([[...groups[one], ...groups[other]]]);
          joined = true;
        }
      }
    }
  }
  const middle = (group) => { const box = boxOf(group); return box.left + box.right; };
  return groups.sort((a, b) => middle(a) - middle(b));
}

function belongTogether(one, other) {
  const [a, b] = [boxOf(one), boxOf(other)];
  const pen = Math.max(...[...one, ...other].map((stroke) => stroke.width));
  if (Math.max(a.left, b.left) - Math.min(a.right, b.right) > pen) return false; // far apart
  const shared = Math.min(a.right, b.right) - Math.max(a.left, b.left) + pen;
  const share = shared / (Math.min(a.width, b.width) + pen);
  return share >= BESIDE || (share >= TOUCHING && touch(one, other, pen));
}

const touch = (one, other, distance) => one.some((a) => other.some((b) => distanceBetween(a, b) <= distance));

// Draw strokes on a canvas in white on black; `penOf` gives the width that a stroke is drawn with.
function drawOn(context, strokes, scale, left, top, penOf) {
  context.setTransform(scale, 0, 0, scale, left, top);
  context.lineCap = context.lineJoin = "round";
  context.strokeStyle = "#fff";
  for (const { width, points } of strokes) {
    context.lineWidth = penOf(width);
    context.beginPath();
    context.moveTo(points[0].x, points[0].y);
    if (points.length === 1) context.lineTo(points[0].x + 0.01, points[0].y);
    for (const point of points.slice(1)) context.lineTo(point.x, point.y);
    context.stroke();
  }
}

function greyOf(context, columns, rows) {
  context.setTransform(1, 0, 0, 1, 0, 0);
  const { data } = context.getImageData(0, 0, columns, rows);
  return Uint8Array.from({ length: rows * columns }, (_, k) => data[4 * k]);
}

const workbench = document.createElement("canvas").getContext("2d", { willReadFrequently: true });

function blackCanvas(columns, rows) {
  const context = workbench;
  [context.canvas.width, context.canvas.height] = [columns, rows]; // which resets it
  context.fillStyle = "#000";
  context.fillRect(0, 0, columns, rows);
  return context;
}

// Draw a digit's ink alone, { rows, columns, pixels }: 0 for paper, 255 for ink. A pen that is thin or thick for the
// digit's size is brought to the width of MNIST's pens, unless `asDrawn`.
export function cropOf(strokes, { asDrawn = false } = {}) {
  const box = boxOf(strokes);
  const drawn = Math.max(...strokes.map((stroke) => stroke.width));
  const longest = Math.max(box.width, box.height) + drawn;
  const penOf = (width) => (asDrawn ? width : Math.min(Math.max(width, THINNEST * longest), THICKEST * longest));
  const margin = penOf(drawn) / 2;
  const scale = LONGEST / (Math.max(box.width, box.height) + 2 * margin);
  const [columns, rows] = [box.width, box.height].map((side) => Math.ceil((side + 2 * margin) * scale) + 2 * EDGE);
  const context = blackCanvas(columns, rows);
  drawOn(context, strokes, scale, EDGE + (margin - box.left) * scale, EDGE + (margin - box.top) * scale, penOf);
  return { rows, columns, pixels: greyOf(context, columns, rows) };
}

// Shrink the whole drawing area, `width` x `height` units, to 28 x 28 pixels, as a beginner's program would.
export function rawImageOf(strokes, width, height) {
  const large = blackCanvas(280, 280);
  const scale = 280 / Math.max(width, height);
  drawOn(large, strokes, scale, (280 - width * scale) / 2, (280 - height * scale) / 2, (width) => width);
  const grey = greyOf(large, 280, 280);
  const mean = (row, column) => {
    let total = 0;
    for (let y = 0; y < 10; y += 1) for (let x = 0; x < 10; x += 1) total += grey[(row * 10 + y) * 280 + column * 10 + x];
    return total / 100;
  };
  return { rows: 28, columns: 28, pixels: Uint8Array.from({ length: 784 }, (_, k) => mean(Math.floor(k / 28), k % 28)) };
}
