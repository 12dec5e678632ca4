// Draws the section "How this network reads a digit". Plain JavaScript, no library; the report holds it inline, so it
// is one file and imports nothing.
//
// `data` has `labels`, `examples` and `layers`. Where the numbers of each example are in `data`, as in the report, each
// layer has `sums`; otherwise the function that is returned shows new ones: an array for each layer, which holds what
// the layer hands on to the next. While they are still changing, it draws the strip alone.
export function showHowItReads(section, data) {
  const [examplesRow, strip, panel] = [".examples", ".strip", ".panel-of-layer"].map((name) => section.querySelector(name));

  // ---- Arrays -------------------------------------------------------------------------------------------------

  const bytesOf = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer;
  const product = (sizes) => sizes.reduce((total, size) => total * size, 1);
  const largestOf = (values) => values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0) || 1;
  const indexOfLargest = (values) => values.reduce((best, value, k) => (value > values[best] ? k : best), 0);

  const layers = data.layers.map((layer, index) => {
    const units = layer.sums && new Int16Array(bytesOf(layer.sums.data));
    const shape = layer.shape.length === 3 ? layer.shape : [layer.shape[0], 1, 1];
    return {
      ...layer,
      index,
      maps: shape[0],
      rows: shape[1],
      columns: shape[2],
      isFlat: layer.shape.length === 1,
      sumsOf: (example) => {
        const size = product(shape);
        return Float32Array.from(units.subarray(example * size, (example + 1) * size), (unit) => unit * layer.sums.scale);
      },
      weights: layer.weights && new Float32Array(bytesOf(layer.weights)),
    };
  });

  function afterwards(layer, map, value) {
    return layer.after.reduce(
      (kept, step) => (step.kind === "ReLU" ? Math.max(kept, 0) : kept * step.scale[map] + step.shift[map]), value);
  }

  let handedOn = null; // by each layer, where the examples are not in the data
  let computed = []; // sums by layer, once they were asked for

  function sums(layer) {
    if (layer.sums) return layer.sumsOf(state.example);
    if (layer.after.length === 0 || !sumsOf[layer.kind]) return handedOn[layer.index];
    computed[layer.index] ??= sumsOf[layer.kind](layer, layers[layer.index - 1]);
    return computed[layer.index];
  }

  function outputs(layer) {
    if (!layer.sums) return handedOn[layer.index];
    const area = layer.rows * layer.columns;
    return sums(layer).map((value, k) => afterwards(layer, Math.floor(k / area), value));
  }

  // What a layer computes before BatchNorm and ReLU, from what the layer before hands on.
  const sumsOf = {
    convolution: (layer, before) => eachPlace(layer, (map, row, column) => {
      const [, perGroup, rows, columns] = layer.weightShape;
      const first = Math.floor(map / (layer.maps / layer.groups)) * perGroup;
      let total = layer.bias ? layer.bias[map] : 0;
      for (let input = 0; input < perGroup; input += 1) {
        const given = plane(outputs(before), before, first + input);
        const patch = patchOf(given, before, row * layer.stride - layer.padding, column * layer.stride - layer.padding, rows, columns);
        const start = (map * perGroup + input) * rows * columns;
        for (let k = 0; k < patch.length; k += 1) total += patch[k] * layer.weights[start + k];
      }
      return total;
    }),
    pool: (layer, before) => eachPlace(layer, (map, row, column) =>
      Math.max(...patchOf(plane(outputs(before), before, map), before, row * layer.size, column * layer.size, layer.size, layer.size))),
    dense: (layer, before) => eachPlace(layer, (unit) => {
      const given = outputs(before);
      return given.reduce((total, value, k) => total + value * layer.weights[unit * given.length + k], layer.bias ? layer.bias[unit] : 0);
    }),
  };

  function eachPlace(layer, valueAt) {
    return Float32Array.from({ length: layer.maps * layer.rows * layer.columns }, (_, k) =>
      valueAt(Math.floor(k / (layer.rows * layer.columns)), Math.floor(k / layer.columns) % layer.rows, k % layer.columns));
  }

  function plane(values, layer, map) {
    const area = layer.rows * layer.columns;
    return values.subarray(map * area, (map + 1) * area);
  }

  const endsWithRelu = (layer) => layer.after.some((step) => step.kind === "ReLU");
  const isImage = (layer) => layer.kind === "image" || layer.kind === "deskew";

  // ---- Drawing ------------------------------------------------------------------------------------------------

  // Black ink of that strength (inverted by the style sheet in the dark), or blue for negative, white for 0, orange.
  const inkColour = (share) => [0, 0, 0, Math.max(0, share) * 255];
  function signedColour(share) {
    const end = share < 0 ? [0, 114, 178] : [213, 94, 0];
    const strength = Math.min(1, Math.abs(share));
    return [...end.map((colour) => 250 + (colour - 250) * strength), 255];
  }

  function canvasOf(values, rows, columns, { signed, largest = largestOf(values) }) {
    const canvas = element("canvas", { width: columns, height: rows, class: signed ? "weights" : "ink" });
    const context = canvas.getContext("2d");
    const pixels = context.createImageData(columns, rows);
    values.forEach((value, k) => pixels.data.set((signed ? signedColour : inkColour)(value / largest), 4 * k));
    context.putImageData(pixels, 0, 0);
    return canvas;
  }

  // One picture of up to `most` maps of a layer, side by side.
  function montage(layer, most) {
    const values = outputs(layer);
    const signed = !isImage(layer) && !endsWithRelu(layer);
    if (layer.rows * layer.columns === 1) {
      const columns = Math.ceil(Math.sqrt(layer.maps));
      const square = new Float32Array(columns * Math.ceil(layer.maps / columns));
      square.set(values);
      return canvasOf(square, square.length / columns, columns, { signed });
    }
    const shown = Math.min(most, layer.maps);
    const across = Math.ceil(Math.sqrt(shown));
    const [rows, columns] = [Math.ceil(shown / across) * (layer.rows + 1) - 1, across * (layer.columns + 1) - 1];
    const joined = new Float32Array(rows * columns);
    for (let map = 0; map < shown; map += 1) {
      const [top, left] = [Math.floor(map / across) * (layer.rows + 1), (map % across) * (layer.columns + 1)];
      plane(values, layer, map).forEach((value, k) => {
        joined[(top + Math.floor(k / layer.columns)) * columns + left + (k % layer.columns)] = value;
      });
    }
    return canvasOf(joined, rows, columns, { signed });
  }

  const minus = "\u2212";
  function number(value, digits = 2) {
    const rounded = Math.abs(value) >= 1000 ? value.toPrecision(4) : value.toFixed(digits);
    const text = Number(rounded) === 0 ? (0).toFixed(digits) : String(Math.abs(value) >= 1000 ? Math.round(value).toLocaleString("en") : rounded);
    return text.replace("-", minus);
  }
  const signed = (value) => `${value < 0 ? minus : "+"} ${number(Math.abs(value))}`;
  const percent = (share) => `${share > 0 && share < 0.0005 ? "<0.1" : (100 * share).toFixed(1)}%`;
  const counted = (count, thing) => `${count.toLocaleString("en")} ${thing}${count === 1 ? "" : "s"}`;

  // A grid of numbers on their colours; `marked` is the index of one in a frame.
  function gridOf(values, columns, { signed = true, largest = largestOf(values), marked = -1, label }) {
    const table = element("table", { class: "numbers-grid", "aria-label": label });
    for (let row = 0; row * columns < values.length; row += 1) {
      table.append(element("tr", {}, ...Array.from(values.subarray(row * columns, (row + 1) * columns), (value, k) => {
        const share = value / largest;
        const [red, green, blue, alpha] = signed ? signedColour(share) : inkColour(share);
        const dark = signed ? Math.abs(share) > 0.75 : share > 0.5;
        return element("td", {
          class: [dark ? "on-dark" : "", row * columns + k === marked ? "is-marked" : "", signed ? "" : "is-ink"].join(" "),
          style: signed ? `background: rgb(${red} ${green} ${blue})` : `--strength: ${alpha / 255}`,
          text: number(value),
        });
      })));
    }
    return table;
  }

  // A canvas with a frame around some of its pixels; a click or an arrow key moves the frame.
  function framed(canvas, layer, frame, label, move) {
    const box = element("div", {
      class: "framed", tabindex: move ? 0 : null, role: move ? "application" : null, "aria-label": label,
    }, canvas, element("span", {
      class: "frame",
      style: `left: ${(100 * frame.column) / layer.columns}%; top: ${(100 * frame.row) / layer.rows}%; ` +
        `width: ${(100 * frame.size) / layer.columns}%; height: ${(100 * frame.size) / layer.rows}%`,
    }));
    if (move) {
      const moveTo = (event) => {
        const area = canvas.getBoundingClientRect();
        const at = (offset, extent, count) => Math.min(count - 1, Math.max(0, Math.floor((offset / extent) * count)));
        const [row, column] = [at(event.clientY - area.top, area.height, layer.rows), at(event.clientX - area.left, area.width, layer.columns)];
        if (row !== frame.row || column !== frame.column) move(row, column);
      };
      box.addEventListener("click", moveTo);
      box.addEventListener("pointermove", (event) => { if (event.pointerType === "mouse") moveTo(event); });
      box.addEventListener("keydown", (event) => {
        const [down, right] = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key] || [0, 0];
        if (down || right) {
          event.preventDefault();
          move(null, null, down, right);
        }
      });
    }
    return box;
  }

  const figure = (caption, content, note = null) =>
    element("figure", {}, content, element("figcaption", {}, element("b", { text: caption }), note && document.createTextNode(` ${note}`)));

  // ---- State --------------------------------------------------------------------------------------------------

  const firstConvolution = layers.find((layer) => layer.kind === "convolution");
  const state = { example: 0, layer: firstConvolution ? firstConvolution.index : 0, map: null, row: 0, column: 0, input: null, isPlaced: false };

  // The map that responds most, and the place where it does.
  function lookAtTheStrongest(layer) {
    const values = layer.kind === "pool" ? sums(layers[layer.index - 1]) : sums(layer);
    const source = layer.kind === "pool" ? layers[layer.index - 1] : layer;
    const best = indexOfLargest(values);
    const area = source.rows * source.columns;
    state.map = state.map === null || state.map >= layer.maps ? Math.floor(best / area) : state.map;
    const place = indexOfLargest(plane(values, source, state.map));
    [state.row, state.column] = [Math.floor(place / source.columns), place % source.columns];
    state.input = null;
  }

  function choose(changes) {
    Object.assign(state, changes, { isPlaced: "row" in changes });
    if ("layer" in changes) state.map = null;
    if (!("row" in changes) && !("input" in changes)) lookAtTheStrongest(layers[Math.min(state.layer, layers.length - 1)]);
    draw();
  }

  // Let the filter slide along the row of the strongest place, up to it, for those who want motion.
  let sliding = null;
  function slide() {
    clearInterval(sliding);
    const end = state.column;
    if (layers[state.layer]?.kind !== "convolution" || matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    state.column = 0;
    sliding = setInterval(() => {
      state.column += 1;
      if (state.column >= end) clearInterval(sliding);
      drawPanel();
    }, 70);
    for (const kind of ["pointerdown", "keydown"]) section.addEventListener(kind, () => clearInterval(sliding), { once: true, capture: true });
  }

  const mover = (layer) => (row, column, down = 0, right = 0) => choose({
    row: Math.min(layer.rows - 1, Math.max(0, (row ?? state.row) + down)),
    column: Math.min(layer.columns - 1, Math.max(0, (column ?? state.column) + right)),
  });

  // ---- Examples and the strip of layers -----------------------------------------------------------------------

  function drawExamples() {
    examplesRow.hidden = data.examples.length === 1;
    if (examplesRow.hidden) return;
    const image = layers[0];
    examplesRow.replaceChildren(...data.examples.map((example, k) => element("button", {
      type: "button", class: example.isWrong ? "is-wrong" : "", "aria-pressed": String(k === state.example),
      onclick: () => { state.map = null; choose({ example: k }); },
    }, canvasOf(image.sumsOf(k), image.rows, image.columns, { signed: false, largest: 1 }),
    element("span", { text: example.title }, example.note ? element("small", { text: ` ${example.note}` }) : null))));
  }

  function shapeOf(layer) {
    const size = `${layer.rows} x ${layer.columns}`;
    return isImage(layer) ? [size] : layer.isFlat ? [counted(layer.maps, "number")] : [counted(layer.maps, "map"), size];
  }

  function station(index, name, shape, notes, content) {
    return element("li", {}, element("button", {
      type: "button", "aria-pressed": String(index === state.layer), onclick: () => { choose({ layer: index }); slide(); },
    }, content, element("b", { text: name }), ...shape.map((text) => element("span", { text })),
    ...notes.map((text) => element("small", { text }))));
  }

  function drawStrip() {
    const weights = (count) => (count ? [counted(count, "weight")] : []);
    const weightsOf = (step) => (step.kind === "BatchNorm" ? 2 * step.scale.length : 0);
    const notes = (layer) => [
      ...weights(layer.parameters - layer.after.reduce((total, step) => total + weightsOf(step), 0)),
      ...layer.after.flatMap((step) => [`+ ${step.kind}`, ...weights(weightsOf(step))])];
    const answer = probabilities();
    const best = indexOfLargest(answer);
    const bars = element("span", { class: "bars" }, ...Array.from(answer, (share, k) =>
      element("i", { class: k === best ? "is-best" : "", style: `height: ${Math.max(3, 100 * share)}%` })));
    strip.replaceChildren(
      ...layers.map((layer) => station(layer.index, layer.name, shapeOf(layer), notes(layer), montage(layer, 4))),
      station(layers.length, "Softmax", [`${answer.length} probabilities`], [], bars));
  }

  // ---- One panel for each kind of layer -----------------------------------------------------------------------

  const steps = (...lines) => element("ol", { class: "steps", "aria-live": "polite" }, ...lines.map((line) => element("li", {}, ...line)));
  const bold = (text) => element("b", { text });

  function patchOf(values, layer, top, left, rows, columns) {
    const patch = new Float32Array(rows * columns);
    for (let row = 0; row < rows; row += 1) {
      for (let column = 0; column < columns; column += 1) {
        const [y, x] = [top + row, left + column];
        const inside = y >= 0 && x >= 0 && y < layer.rows && x < layer.columns;
        patch[row * columns + column] = inside ? values[y * layer.columns + x] : 0;
      }
    }
    return patch;
  }

  // The BatchNorm and the ReLU after a layer, each as a line of the worked example.
  function workAfter(layer, map, value) {
    return layer.after.map((step) => {
      if (step.kind === "ReLU") {
        const kept = Math.max(0, value);
        const line = [bold("ReLU: "), value > 0 ? `above 0, so it stays ${number(value)}.` : `not above 0, so it becomes 0.`];
        value = kept;
        return line;
      }
      const normalised = value * step.scale[map] + step.shift[map];
      const line = [bold("BatchNorm: "), `${number(value)} x ${number(step.scale[map])} ${signed(step.shift[map])} = ${number(normalised)}, with the two numbers of this ${layer.isFlat ? "output" : "map"}.`];
      value = normalised;
      return line;
    });
  }

  function poolNumbers(before, pool, map, row, column) {
    const size = pool.size;
    const [top, left] = [Math.floor(row / size) * size, Math.floor(column / size) * size];
    return { top, left, patch: patchOf(plane(outputs(before), before, map), before, top, left, size, size) };
  }

  function convolutionPanel(layer) {
    const before = layers[layer.index - 1];
    const [, perGroup, rows, columns] = layer.weightShape;
    const firstInput = Math.floor(state.map / (layer.maps / layer.groups)) * perGroup;
    const given = outputs(before);
    const [top, left] = [state.row * layer.stride - layer.padding, state.column * layer.stride - layer.padding];
    const area = rows * columns;
    const kernel = (input) => layer.weights.subarray((state.map * perGroup + input) * area, (state.map * perGroup + input + 1) * area);
    const partial = Array.from({ length: perGroup }, (_, input) => {
      const patch = patchOf(plane(given, before, firstInput + input), before, top, left, rows, columns);
      return patch.reduce((total, value, k) => total + value * kernel(input)[k], 0);
    });
    const input = state.input ?? indexOfLargest(partial.map(Math.abs));
    const patch = patchOf(plane(given, before, firstInput + input), before, top, left, rows, columns);
    const products = patch.map((value, k) => value * kernel(input)[k]);
    const others = partial.reduce((total, value, k) => (k === input ? total : total + value), 0);
    const total = partial[input] + others;
    const bias = layer.bias ? layer.bias[state.map] : 0;
    const result = total + bias;
    const next = layers[layer.index + 1];
    const pool = next && next.kind === "pool" && layer.after.length === 0 ? next : null;

    const source = isImage(before) ? "Image" : `Map ${firstInput + input + 1} of ${before.maps}`;
    const ownSums = sums(layer);
    const story = element("div", { class: "story" },
      figure(source, framed(
        canvasOf(plane(given, before, firstInput + input), before.rows, before.columns, { signed: !isImage(before) && !endsWithRelu(before) }),
        before, { row: top, column: left, size: rows }, "The input; the frame is where the filter lies"), isImage(before)
        ? `${before.rows} x ${before.columns} numbers, 0 for background, 1 for ink. The filter lies in the frame.`
        : "The filter lies on all maps; this one adds the most to the sum."),
      element("span", { class: "sign", text: "x" }),
      figure(`Filter ${state.map + 1}`, canvasOf(kernel(input), rows, columns, { signed: true }), isImage(before)
        ? `${area} learned numbers, its weights: orange ones look for ink, blue ones for background.`
        : `Its ${area} weights for this map, learned in training: orange is positive, blue negative.`),
      element("span", { class: "sign", text: "=" }),
      figure(`Map ${state.map + 1}`, framed(
        canvasOf(plane(ownSums, layer, state.map), layer.rows, layer.columns, { signed: true }), layer,
        { row: state.row, column: state.column, size: 1 }, "The map: press the arrow keys, or choose a place, to move the filter", mover(layer)),
        "One sum for each place of the filter: orange where it fits, blue where not. Point at a place in the map to move the filter there."),
      ...(pool ? [
        element("span", { class: "sign", text: "→" }),
        figure("Pool", framed(
          canvasOf(plane(outputs(pool), pool, state.map), pool.rows, pool.columns, { signed: !endsWithRelu(pool) }), pool,
          { row: Math.floor(state.row / pool.size), column: Math.floor(state.column / pool.size), size: 1 }, "The map after the pool"),
          `A smaller map: of every ${pool.size} x ${pool.size} numbers, the largest is kept, so a stroke counts wherever it lies among them.${endsWithRelu(pool) ? " ReLU then makes negative numbers 0." : ""}`),
      ] : []));

    const lines = [
      [bold("Multiply "), `the ${area} numbers in the frame by the ${area} weights of the filter.`],
      [bold("Add "), `the products: ${number(partial[input])}.`,
        perGroup > 1 ? ` The other ${perGroup - 1} maps add ${number(others)}: together ${number(total)}.` : ""],
    ];
    if (layer.bias) lines.push([bold("Add the bias "), `of this filter, ${number(bias)}: ${number(result)}. This is the number in the map.`]);
    else lines[lines.length - 1].push(" This is the number in the map.");
    if (pool) {
      const { patch: four } = poolNumbers(layer, pool, state.map, state.row, state.column);
      const kept = four[indexOfLargest(four)];
      lines.push([bold("Max pool: "), `the largest of ${Array.from(four, (value) => number(value)).join(", ")} is kept, ${number(kept)}.`]);
      lines.push(...workAfter(pool, state.map, kept));
    } else {
      lines.push(...workAfter(layer, state.map, result));
    }
    const worked = element("div", { class: "worked" },
      element("h3", { text: `The sum at row ${state.row + 1}, column ${state.column + 1}, in numbers` }),
      element("div", { class: "grids" },
        gridOf(patch, columns, { signed: !isImage(before) && !endsWithRelu(before), largest: isImage(before) ? 1 : largestOf(given), label: "Numbers under the frame" }),
        element("span", { class: "sign", text: "x" }),
        gridOf(kernel(input), columns, { label: "Weights of the filter" }),
        element("span", { class: "sign", text: "=" }),
        gridOf(products, columns, { label: "Products" })),
      steps(...lines));
    worked.dataset.result = result;

    return [story, worked, pairs(layer, `All ${layer.maps} filters, each beside its map`, (map) => {
      const grids = layer.weights.subarray(map * perGroup * area, (map + 1) * perGroup * area);
      return [mosaic(grids, perGroup, rows, columns), canvasOf(plane(ownSums, layer, map), layer.rows, layer.columns, { signed: true, largest: largestOf(ownSums) })];
    })];
  }

  // The slices of a filter, one for each map before it, as one square picture.
  function mosaic(values, slices, rows, columns) {
    const across = Math.ceil(Math.sqrt(slices));
    const canvas = element("canvas", {
      width: across * (columns + 1) - 1, height: Math.ceil(slices / across) * (rows + 1) - 1, class: "weights filter",
    });
    const context = canvas.getContext("2d");
    const largest = largestOf(values);
    for (let slice = 0; slice < slices; slice += 1) {
      const part = values.subarray(slice * rows * columns, (slice + 1) * rows * columns);
      context.drawImage(canvasOf(part, rows, columns, { signed: true, largest }),
        (slice % across) * (columns + 1), Math.floor(slice / across) * (rows + 1));
    }
    return canvas;
  }

  function pairs(layer, title, pictures) {
    return element("div", {}, element("h3", { text: title }), element("div", { class: "pairs" },
      ...Array.from({ length: layer.maps }, (_, map) => element("button", {
        type: "button", "aria-pressed": String(map === state.map), "aria-label": `${map + 1} of ${layer.maps}`,
        onclick: () => choose({ map }),
      }, ...pictures(map)))));
  }

  function poolPanel(layer) {
    const before = layers[layer.index - 1];
    const { top, left, patch } = poolNumbers(before, layer, state.map, state.row, state.column);
    const best = indexOfLargest(patch);
    const signedBefore = !endsWithRelu(before);
    const story = element("div", { class: "story" },
      figure(`Map ${state.map + 1} before`, framed(
        canvasOf(plane(outputs(before), before, state.map), before.rows, before.columns, { signed: signedBefore }),
        before, { row: top, column: left, size: layer.size }, "The map before the pool: press the arrow keys, or choose a place", mover(before)), "Choose another place."),
      element("span", { class: "sign", text: "→" }),
      figure(`${patch.length} numbers`, gridOf(patch, layer.size, { signed: signedBefore, largest: largestOf(outputs(before)), marked: best, label: "Numbers under the frame" }),
        "The largest is kept."),
      element("span", { class: "sign", text: "→" }),
      figure(`Map ${state.map + 1} after`, framed(
        canvasOf(plane(outputs(layer), layer, state.map), layer.rows, layer.columns, { signed: !endsWithRelu(layer) }),
        layer, { row: Math.floor(top / layer.size), column: Math.floor(left / layer.size), size: 1 }, "The map after the pool")));
    const kept = patch[best];
    return [story,
      element("div", { class: "worked" }, steps([bold("Max pool: "), `${number(kept)} is the largest of ${Array.from(patch, (value) => number(value)).join(", ")}.`],
        ...workAfter(layer, state.map, kept))),
      mapsPanel(layer)];
  }

  function mapsPanel(layer) {
    const values = outputs(layer);
    const signed = !isImage(layer) && !endsWithRelu(layer);
    return pairs(layer, `All ${counted(layer.maps, "map")}`, (map) =>
      [canvasOf(plane(values, layer, map), layer.rows, layer.columns, { signed, largest: largestOf(values) })]);
  }

  function imagePanel(layer) {
    const values = outputs(layer);
    const side = Math.min(8, layer.rows, layer.columns);
    const [top, left] = [Math.floor((layer.rows - side) / 2), Math.floor((layer.columns - side) / 2)];
    return [element("div", { class: "story" },
      figure(layer.name, framed(canvasOf(values, layer.rows, layer.columns, { signed: false, largest: 1 }), layer,
        { row: top, column: left, size: side }, "The image")),
      element("span", { class: "sign", text: "=" }),
      figure("Numbers", gridOf(patchOf(values, layer, top, left, side, side), side, { signed: false, largest: 1, label: "Numbers in the frame" }),
        "Those in the frame."))];
  }

  function densePanel(layer) {
    const before = layers[layer.index - 1];
    const given = outputs(before);
    const own = sums(layer);
    const isLast = layer.index === layers.length - 1;
    const nameOf = (unit) => (isLast ? data.labels[unit] : `Unit ${unit + 1}`);
    const content = [];
    if (layer.weights) {
      const weights = layer.weights.subarray(state.map * given.length, (state.map + 1) * given.length);
      const products = weights.map((weight, k) => weight * given[k]);
      const order = Array.from(products.keys()).sort((a, b) => Math.abs(products[b]) - Math.abs(products[a])).slice(0, 5);
      const rest = products.reduce((total, value) => total + value, 0) - order.reduce((total, k) => total + products[k], 0);
      const bias = layer.bias ? layer.bias[state.map] : 0;
      const total = products.reduce((sum, value) => sum + value, 0) + bias;
      const table = element("table", { class: "plain numbers" }, element("thead", {}, element("tr", {},
        ...["Number before", "Its value", "Weight", "Product"].map((text) => element("th", { scope: "col", text })))),
      element("tbody", {}, ...order.map((k) => element("tr", {}, element("th", { scope: "row", text: `${k + 1} of ${given.length.toLocaleString("en")}` }),
        ...[given[k], weights[k], products[k]].map((value) => element("td", { text: number(value) }))))));
      const worked = element("div", { class: "worked" },
        element("h3", { text: isLast ? `The score of ${nameOf(state.map)}, in numbers` : `${nameOf(state.map)}, in numbers` }),
        element("p", { text: "The five products that count most:" }), element("div", { class: "scroll" }, table),
        steps(...(given.length > order.length ? [[bold("Add "), `them and the other ${(given.length - order.length).toLocaleString("en")} products, ${number(rest)} together: ${number(total - bias)}.`]] : []),
          ...(layer.bias ? [[bold("Add the bias, "), `${number(bias)}: ${number(total)}.`]] : []),
          ...workAfter(layer, state.map, total)));
      worked.dataset.result = total;
      content.push(worked);
    } else {
      content.push(element("p", { class: "note", text: `With ${product(layer.weightShape).toLocaleString("en")} weights, this layer is too large to work out here.` }));
    }
    const largest = largestOf(own);
    const values = outputs(layer);
    const units = isLast
      ? element("div", { class: "bars-list" }, ...Array.from(own, (value, unit) => bar(nameOf(unit), Math.abs(value) / largest, number(value), {
        pressed: unit === state.map, negative: value < 0, onclick: () => choose({ map: unit }),
      })))
      : element("div", { class: "units" }, ...Array.from(values, (value, unit) => element("button", {
        type: "button", "aria-pressed": String(unit === state.map), title: `${nameOf(unit)}: ${number(value)}`, "aria-label": `${nameOf(unit)}: ${number(value)}`,
        style: `--strength: ${Math.min(1, Math.abs(value) / largestOf(values)).toFixed(3)}`, onclick: () => choose({ map: unit }),
      })));
    return [units, ...content];
  }

  function bar(name, share, text, { pressed = false, negative = false, onclick = null } = {}) {
    return element(onclick ? "button" : "div", { class: `bar-row${negative ? " is-negative" : ""}`, type: onclick ? "button" : null, "aria-pressed": onclick ? String(pressed) : null, onclick: onclick || (() => {}) },
      element("span", { text: name }), element("span", { class: "track" }, element("i", { style: `width: ${(50 * share).toFixed(2)}%; margin-left: ${negative ? (50 - 50 * share).toFixed(2) : 50}%` })), element("span", { text }));
  }

  function softmax(logits) {
    const top = Math.max(...logits);
    const powers = Array.from(logits, (value) => Math.exp(value - top));
    const total = powers.reduce((sum, value) => sum + value, 0);
    return powers.map((value) => value / total);
  }
  const probabilities = () => softmax(outputs(layers[layers.length - 1]));

  function softmaxPanel() {
    const logits = outputs(layers[layers.length - 1]);
    const shares = probabilities();
    const powers = Array.from(logits, Math.exp);
    const best = indexOfLargest(shares);
    const total = powers.reduce((sum, value) => sum + value, 0);
    const exact = (value) => (value >= 1000 || value < 0.01 ? value.toExponential(1).replace("e+", " x 10^").replace("e-", " x 10^-").replace("-", minus) : value.toFixed(2));
    const rows = shares.map((share, k) => element("tr", { class: k === best ? "changed" : "" },
      element("th", { scope: "row", text: data.labels[k] }), element("td", { text: number(logits[k]) }),
      element("td", { text: exact(powers[k]) }), element("td", { text: percent(share) }),
      element("td", { class: "track-cell" }, element("i", { style: `width: ${(100 * share).toFixed(2)}%` }))));
    const example = data.examples[state.example];
    const own = example.probabilities;
    return [element("div", { class: "worked" }, element("div", { class: "scroll" }, element("table", { class: "plain numbers softmax" },
      element("thead", {}, element("tr", {}, ...["Answer", "Score s", "e to the power s", "Divided by the sum", ""].map((text) => element("th", { scope: "col", text })))),
      element("tbody", {}, ...rows))),
    element("p", {}, `The sum of all powers is ${exact(total)}. The answer is `, bold(data.labels[best]), `, with a probability of ${percent(shares[best])}.`,
      own.length ? ` Averaged as said below, the run answers ${data.labels[indexOfLargest(own)]}, with ${percent(own[indexOfLargest(own)])}.` : ""))];
  }

  const SOFTMAX = "Softmax turns the scores into probabilities: the number e, 2.718, is raised to the power of each score, which is always above 0, " +
    "and each result is divided by their sum, so that together they make 100%.";

  function drawPanel() {
    const layer = layers[state.layer];
    const panels = { convolution: convolutionPanel, pool: poolPanel, dense: densePanel, image: imagePanel, deskew: imagePanel };
    const content = [layer ? ((layer.kind !== "convolution" || layer.weights) && panels[layer.kind] || mapsPanel)(layer) : softmaxPanel()].flat();
    const [first, ...rest] = content;
    panel.replaceChildren(first, element("p", { text: layer ? layer.text : SOFTMAX }), ...rest);
  }

  function draw() {
    const focused = document.activeElement && section.contains(document.activeElement) ? pathOf(document.activeElement) : null;
    drawExamples();
    drawStrip();
    drawPanel();
    if (focused) section.querySelector(focused)?.focus({ preventScroll: true });
  }

  // A selector of the same element after everything is drawn anew, so that the keyboard keeps its place.
  function pathOf(target) {
    const path = [];
    for (let at = target; at !== section; at = at.parentElement) {
      path.unshift(`${at.tagName.toLowerCase()}:nth-child(${Array.from(at.parentElement.children).indexOf(at) + 1})`);
    }
    return `:scope > ${path.join(" > ")}`;
  }

  // `learned` has the layers of the same network at another step of its training, with other weights.
  if (layers[0].sums) choose({});
  return (arrays, { isChanging = false, learned = [] } = {}) => {
    clearInterval(sliding);
    learned.forEach(({ weights, bias, after }, k) => {
      Object.assign(layers[k], { weights: weights && new Float32Array(bytesOf(weights)), bias, after });
    });
    [handedOn, computed] = [arrays, []];
    if (!state.isPlaced) lookAtTheStrongest(layers[Math.min(state.layer, layers.length - 1)]);
    if (isChanging && panel.hasChildNodes()) drawStrip(); // the panel takes ten times as long
    else draw();
  };
}

// Make an element: attributes, `text`, and listeners as `onclick`; what is null or false is left out.
export function element(name, options = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(options)) {
    if (key === "text") made.textContent = value;
    else if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value !== null && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}
