// The drawing area: strokes by mouse, pen, finger or keyboard; undo, eraser, clear. It calls `changed` after each change.

import { SIDE, distanceBetween } from "./strokes.js";

const STEP = 8; // units that an arrow key moves the pen
const CLOSE = 2; // units between two points of a stroke, at least
const REACH = 14; // units around the eraser

export class Pad {
  strokes = [];
  width = 20; // of the pen, in units
  erasing = false;
  #past = []; // strokes before each change
  #current = null; // the stroke that is being drawn
  #pointer = null; // the mouse, pen or finger that draws it
  #cursor = null; // where the keyboard's pen is
  #isDone = false; // whether the next stroke begins a new drawing
  #isPainting = false; // at the next frame

  // `changed` is called with the strokes, `told` with what a person at the keyboard must know.
  constructor(canvas, changed, told) {
    Object.assign(this, { canvas, changed, told });
    canvas.addEventListener("pointerdown", (event) => this.#press(event));
    const moves = "onpointerrawupdate" in window ? "pointerrawupdate" : "pointermove"; // a move waits for the next frame
    canvas.addEventListener(moves, (event) => this.#move(event));
    for (const end of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(end, (event) => { if (event.pointerId === this.#pointer) this.#lift(); });
    }
    canvas.addEventListener("keydown", (event) => this.#type(event));
    canvas.addEventListener("blur", () => { this.#lift(); this.#cursor = null; this.paint(); });
    canvas.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false }); // no scrolling
    new ResizeObserver(() => this.paint()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.paint());
  }

  // Pixels of the page per unit.
  get scale() { return Math.min(this.canvas.clientWidth, this.canvas.clientHeight) / SIDE || 1; }
  get columns() { return this.canvas.clientWidth / this.scale; }
  get rows() { return this.canvas.clientHeight / this.scale; }
  get isDown() { return this.#current !== null; }
  get isEmpty() { return this.strokes.length === 0; }

  // Replace the strokes, as an undoable change or as a picture that moves.
  show(strokes, { undoable = true } = {}) {
    if (undoable) this.#past.push(this.strokes);
    this.strokes = strokes;
    this.#tell();
  }

  undo() {
    if (this.#past.length) this.strokes = this.#past.pop();
    this.#tell();
  }

  clear() { if (!this.isEmpty) this.show([]); }

  // The drawing is done, or not: if so, the next stroke begins a new one, unless this one is changed before.
  finish(isDone = true) { this.#isDone = isDone; }

  #tell() {
    this.#isDone = false;
    this.paint();
    this.changed(this.strokes);
  }

  #at(event) {
    const area = this.canvas.getBoundingClientRect();
    return this.#inside({ x: (event.clientX - area.left) / this.scale, y: (event.clientY - area.top) / this.scale });
  }

  #inside({ x, y }) {
    const limit = (value, most) => Math.min(most, Math.max(0, value));
    return { x: limit(x, this.columns), y: limit(y, this.rows) };
  }

  #press(event) {
    if (event.button > 0 || this.#current) return; // a second finger draws nothing
    event.preventDefault();
    this.canvas.focus({ preventScroll: true });
    this.#pointer = event.pointerId;
    this.canvas.setPointerCapture(event.pointerId);
    this.#start(this.#at(event));
  }

  #start(point) {
    this.#past.push(this.strokes);
    if (this.#isDone && !this.erasing) this.strokes = [];
    this.#current = { width: this.width, points: [] };
    if (!this.erasing) this.strokes = [...this.strokes, this.#current];
    this.#go(point);
  }

  #move(event) {
    if (!this.#current || event.pointerId !== this.#pointer) return;
    const events = event.getCoalescedEvents?.() ?? [];
    for (const each of events.length ? events : [event]) this.#go(this.#at(each), each !== events.at(-1) && events.length > 0);
  }

  #go(point, isQuiet = false) {
    const last = this.#current.points.at(-1);
    if (last && Math.hypot(point.x - last.x, point.y - last.y) < CLOSE) return;
    this.#current.points.push(point);
    if (this.erasing) {
      const path = { points: this.#current.points.slice(-2) };
      const left = this.strokes.filter((stroke) => distanceBetween(path, stroke) > REACH);
      if (left.length < this.strokes.length) this.strokes = left;
    }
    if (!isQuiet) this.#tell();
  }

  #lift() {
    if (!this.#current) return;
    [this.#current, this.#pointer] = [null, null];
    if (this.#past.at(-1) === this.strokes) this.#past.pop(); // the eraser found nothing
    this.#tell();
  }

  #type(event) {
    const step = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] }[event.key];
    if (step) {
      const from = this.#cursor ?? { x: this.columns / 2, y: this.rows / 2 };
      this.#cursor = this.#inside({ x: from.x + STEP * step[0], y: from.y + STEP * step[1] });
      if (this.#current) this.#go(this.#cursor); else this.paint();
    } else if (event.key === " " || event.key === "Enter") {
      event.preventDefault();
      if (event.repeat) return;
      this.#cursor ??= { x: this.columns / 2, y: this.rows / 2 };
      if (this.#current) this.#lift(); else this.#start(this.#cursor);
      this.told(this.#current ? "Pen down" : "Pen up");
      this.paint();
    } else if (event.key === "Backspace" || (event.key === "z" && (event.ctrlKey || event.metaKey))) {
      this.#lift();
      this.undo();
    } else if (event.key === "Escape" || event.key === "Delete") {
      this.#lift();
      this.clear();
    } else {
      return;
    }
    event.preventDefault();
  }

  paint() {
    if (this.#isPainting) return;
    this.#isPainting = true;
    requestAnimationFrame(() => {
      this.#isPainting = false;
      this.#paintNow();
    });
  }

  #paintNow() {
    const [ratio, scale] = [devicePixelRatio || 1, this.scale];
    const [wide, high] = [this.canvas.clientWidth, this.canvas.clientHeight].map((side) => Math.round(side * ratio));
    if (this.canvas.width !== wide || this.canvas.height !== high) [this.canvas.width, this.canvas.height] = [wide, high];
    const context = this.canvas.getContext("2d");
    context.setTransform(scale * ratio, 0, 0, scale * ratio, 0, 0);
    context.clearRect(0, 0, this.columns, this.rows);
    context.lineCap = context.lineJoin = "round";
    context.strokeStyle = getComputedStyle(this.canvas).color;
    for (const { width, points } of this.strokes) {
      context.lineWidth = width;
      context.beginPath();
      points.forEach((point, k) => (k ? context.lineTo(point.x, point.y) : context.moveTo(point.x, point.y)));
      if (points.length === 1) context.lineTo(points[0].x + 0.01, points[0].y);
      context.stroke();
    }
    if (this.#cursor) {
      context.lineWidth = 2;
      context.beginPath();
      context.arc(this.#cursor.x, this.#cursor.y, this.width / 2 + 3, 0, 7);
      if (this.#current) context.fill(); // the pen is down
      context.stroke();
    }
  }
}
