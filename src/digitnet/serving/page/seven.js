// The first second: a 7 that draws itself, until the person begins.

const LINE = [[110, 105], [180, 98], [285, 96], [262, 160], [225, 230], [195, 310]];

function along(corners, spacing) {
  const points = [];
  corners.slice(1).forEach(([x, y], k) => {
    const [left, top] = corners[k];
    const count = Math.max(1, Math.round(Math.hypot(x - left, y - top) / spacing));
    for (let step = 0; step < count; step += 1) points.push({ x: left + ((x - left) * step) / count, y: top + ((y - top) * step) / count });
  });
  return [...points, { x: corners.at(-1)[0], y: corners.at(-1)[1] }];
}

export const SEVEN = { width: 20, points: along(LINE, 12) };

// Draw a stroke point by point on the pad, or at once for those who want no motion; the first touch or key removes it.
export function playStrokes(pad, stroke, ended) {
  const shift = (pad.columns - 400) / 2;
  const moved = { ...stroke, points: stroke.points.map(({ x, y }) => ({ x: x + shift, y })) };
  const isStill = matchMedia("(prefers-reduced-motion: reduce)").matches;
  let shown = isStill ? moved.points.length : 1;
  const ending = new AbortController();
  const stop = (event) => {
    if (["Tab", "Shift", "Control", "Alt", "Meta"].includes(event.key)) return; // on the way to another part
    ending.abort();
    clearInterval(timer);
    pad.show([], { undoable: false });
    ended();
  };
  const step = () => {
    pad.show([{ ...moved, points: moved.points.slice(0, shown) }], { undoable: false });
    shown += 1;
    if (shown > moved.points.length) clearInterval(timer);
  };
  const timer = setInterval(step, 22);
  step();
  for (const kind of ["pointerdown", "keydown"]) pad.canvas.addEventListener(kind, stop, { capture: true, signal: ending.signal });
}
