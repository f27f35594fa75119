// Draw a figure's chart with Vega in the colours of the style sheet; redraw on a change of theme, width or for print.
"use strict";

IG.charts = (() => {
  const drawn = new Map(); // figure -> {payload, rows, view, width}
  const PRINT_WIDTH = { half: 330, whole: 680 };
  const NARROW = 480;
  // Row height in pixels of charts with one row a name: normally, with many names, on a phone, on paper.
  const ROWS = {
    ranges: { wide: 40, close: 26, many: 10, narrow: 48, paper: 20 },
    growths: { wide: 40, close: 26, many: 10, narrow: 48, paper: 20 },
    contributions: { wide: 32, close: 32, many: 10, narrow: 48, paper: 22 },
  };
  // Vega's expression for a name in up to three lines of at most seventeen letters.
  const IN_LINES = "split(replace(replace(datum.label, regexp('^(.{1,17})\\\\s(.{1,17})(?:\\\\s(.*))?$'), '$1|$2|$3'), regexp('[|]$'), ''), '|')";
  const LINE_HEIGHT = 14; // pixels, of a label of 12
  const EMBEDDING = { mode: "vega", renderer: "svg", actions: false, tooltip: false, hover: false, logLevel: 1 };
  const whenIdle = (work) => (window.requestIdleCallback ? requestIdleCallback(work, { timeout: 1000 }) : setTimeout(work, 50));
  // Vega is most of a page's weight, so text and search do not wait for it. Once loaded, it draws in the same turn
  // of the event loop, so that charts requested in `beforeprint` reach the paper.
  const engine = () => (window.vegaEmbed ? undefined : IG.load("assets/vega.js"));
  let isPrinting = location.hash === "#print";

  /** The current colour of a token; `scheme` "light" always gives the light one. */
  function colours(scheme) {
    const probe = document.createElement("span");
    probe.style.colorScheme = scheme ?? "";
    document.body.append(probe);
    const cache = new Map();
    const find = (token) => {
      if (!cache.has(token)) {
        probe.style.color = `var(--${token})`;
        cache.set(token, getComputedStyle(probe).color);
      }
      return cache.get(token);
    };
    return { find, done: () => probe.remove() };
  }

  /** The specification with its tokens and words filled in. Words that this chart lacks are left out of their lists. */
  function filled(value, words, colour, palette) {
    if (typeof value === "string") {
      if (value.startsWith("token:")) return colour(value.slice(6).replace(/^class-(?=\d)/, `${palette}-`));
      if (value.startsWith("text:")) return words[value.slice(5)] ?? null;
      return value;
    }
    if (Array.isArray(value)) {
      return value.map((item) => filled(item, words, colour, palette)).filter((item) => item !== null || value.includes(null));
    }
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, filled(item, words, colour, palette)]));
    }
    return value;
  }

  /** A payload's rows by data set, with the settings and palette from its recipes. */
  function prepared(payload) {
    const rows = {};
    let signals = { ...payload.signals };
    let palette = "sequential";
    let extent;
    for (const [name, held] of Object.entries(payload.rows)) {
      const made = Array.isArray(held) ? held : IG.recipes[held.from](held);
      rows[name] = Array.isArray(made) ? made : made.rows;
      if (!Array.isArray(made)) {
        signals = { ...signals, ...made.signals };
        palette = made.palette;
        extent = made.extent;
      }
    }
    if (payload.breaks?.length) breakLines(rows, payload.breaks);
    return { rows, signals, palette, extent };
  }

  /**
   * Lines end where a method changed. Each point gets the `part` it is in, and `breaks` the position of a rule between
   * two parts. A break is the last year before the change; a break with figures on one side only is ignored.
   */
  function breakLines(rows, breaks) {
    const held = rows.points.filter((point) => point.value !== null);
    for (const point of rows.points) point.part = breaks.filter((last) => last < point.year).length;
    const isBeside = (one, other) => one.series === other.series && one.part === other.part && Math.abs(one.year - other.year) === 1;
    for (const point of held) point.alone = point.lower !== null && !held.some((other) => isBeside(point, other));
    const years = held.map((point) => point.year);
    const [first, last] = [Math.min(...years), Math.max(...years)];
    rows.breaks = breaks.filter((year) => first <= year && year < last).map((year, row) => {
      const at = (Math.max(...years.filter((y) => y <= year)) + Math.min(...years.filter((y) => y > year))) / 2;
      return { year: at, name: "new method", row, side: at - first < last - at ? "left" : "right" };
    });
  }

  /**
   * Series keep their colours, shapes and dashes when one is missing. Only an ordinal scale pairs each name in its
   * domain with a value in its range; any other scale uses the range's two ends.
   */
  function dropMissing(spec, words) {
    for (const scale of spec.scales ?? []) {
      if (scale.type !== "ordinal" || !Array.isArray(scale.domain) || !Array.isArray(scale.range)) continue;
      const keep = scale.domain.map((name) => !(typeof name === "string" && name.startsWith("text:") && !words[name.slice(5)]));
      scale.domain = scale.domain.filter((_, i) => keep[i]);
      scale.range = scale.range.filter((_, i) => keep[i]);
    }
  }

  function specification(payload, made, width, scheme) {
    const spec = structuredClone(IG.get("specs")[payload.spec]);
    spec.description = payload.title; // else Vega calls every chart "Vega visualization"
    dropMissing(spec, payload.text);
    const { find, done } = colours(scheme);
    const whole = filled(spec, payload.text, find, made.palette);
    whole.background = scheme === "light" ? find("page") : "transparent";
    done();
    for (const set of whole.data) {
      if (set.name in made.rows) set.values = structuredClone(made.rows[set.name]);
    }
    whole.autosize = { type: "fit-x", contains: "padding" };
    whole.width = width;
    if (payload.height) whole.height = payload.height;
    if (payload.spec === "quadrant") whole.height = Math.round(Math.min(600, Math.max(300, width * 0.72)));
    const isPaper = isPrinting && scheme === "light";
    if (payload.spec in ROWS) {
      const row = ROWS[payload.spec];
      const names = new Set(made.rows.points.map((point) => point.name)).size;
      whole.height = Math.max(1, names) * (isPaper ? row.paper : width < NARROW ? row.narrow : (names > row.many ? row.close : row.wide));
    }
    if (payload.spec === "ranges" && new Set(made.rows.points.map((point) => point.name)).size === made.rows.points.length) {
      const middle = { signal: "bandwidth('y') / 2" };
      whole.scales.find((scale) => scale.name === "yOffset").range = [middle, middle];
    }
    if (isPaper) printed(whole, payload, width);
    else if (width < 1.4 * NARROW) narrowed(whole, width < NARROW);
    if (payload.spec === "cartogram") Object.assign(made.signals, made.extent ? outlines(whole, made.extent, width) : hexagons(whole, made.rows.points, width));
    if (payload.spec === "beeswarm") dodge(whole.data.find((set) => set.name === "points").values, width);
    for (const signal of whole.signals ?? []) {
      if (signal.name in made.signals) {
        signal.value = made.signals[signal.name];
        delete signal.update;
      }
    }
    return whole;
  }

  /** With less room, legends take fewer columns; on a phone, long names are broken into lines. */
  function narrowed(spec, isTelephone) {
    for (const legend of spec.legends ?? []) legend.columns = isTelephone ? 1 : 2;
    if (!isTelephone) return;
    for (const axis of (spec.axes ?? []).filter((a) => typeof a.title === "string" && a.title.includes(" ("))) {
      axis.title = axis.title.split(/ (?=\()/); // a long title in two lines
    }
    for (const axis of (spec.axes ?? []).filter((a) => a.labelLimit)) {
      // Vega centres the first line on the row; this centres the whole label.
      const rise = { signal: `-${LINE_HEIGHT / 2} * (length(${IN_LINES}) - 1)` };
      axis.encode = { ...axis.encode, labels: { update: { text: { signal: IN_LINES }, dy: rise } } };
    }
  }

  /** Charts are lower on paper, to keep a briefing to two pages. */
  function printed(spec, { spec: name, text, signals }, width) {
    const isHalf = width === PRINT_WIDTH.half;
    const isLong = Math.max(...["a", "c"].map((series) => (text[series] ?? "").length)) > 24;
    if (name === "quadrant") spec.height = isHalf ? 160 : 400;
    if (name === "trend") spec.height = isLong ? 100 : 124;
    for (const legend of spec.legends ?? []) legend.columns = isHalf ? (isLong ? 1 : 2) : 3;
    if (name !== "quadrant" || !isHalf) return;
    spec.legends = []; // its corners are labelled
    for (const axis of (spec.axes ?? []).filter((a) => typeof a.title === "string")) [axis.title] = axis.title.split(" (");
    // The title says whose cross it is; a long name over the dots would hide them.
    const isShort = (IG.place(signals.chosen).name ?? "").length <= 18;
    spec.marks = spec.marks.filter((mark) => isShort || mark.type !== "text" || !mark.encode.update.fontWeight);
  }

  /** The height of a map of hexagons and their size in square pixels, for a width in pixels. */
  function hexagons(spec, points, width) {
    const padding = 14;
    const span = (field) => Math.max(...points.map((p) => p[field])) - Math.min(...points.map((p) => p[field]));
    const unit = (width - 2 * padding - 10) / span("x");
    spec.height = span("y") * unit + 2 * padding;
    return { hexagon: (4 / 3) * unit * unit };
  }

  /** As above for outlines, whose positions and paths share a grid: `extent` is [steps across, steps down]. */
  function outlines(spec, extent, width) {
    const padding = 4;
    const unit = (width - 2 * padding - 10) / extent[0];
    spec.height = extent[1] * unit + 2 * padding;
    ["x", "y"].forEach((name, i) => Object.assign(spec.scales.find((scale) => scale.name === name), { domain: [0, extent[i]], padding }));
    return { hexagon: 4 * unit * unit, unsure_size: 1, unsure_opacity: 0.42 }; // Vega draws a path of a symbol by half the root of its size
  }

  /** Beeswarm: set `offset` so that dots of radius 3.4 do not overlap; deterministic, in ascending order of value. */
  function dodge(points, width) {
    const values = points.map((p) => p.value);
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const across = (value) => ((value - low) / (high - low || 1)) * width * 0.93;
    const gap = 6.8;
    const placed = [];
    for (const point of points.sort((a, b) => a.value - b.value)) {
      const x = across(point.value);
      const near = placed.filter((other) => x - other.x < gap);
      let offset = 0;
      for (let step = 0; near.some((o) => Math.hypot(o.x - x, o.y - offset) < gap); step += 1) {
        offset = (step % 2 ? 1 : -1) * Math.ceil((step + 1) / 2) * 1.7;
      }
      placed.push({ x, y: offset });
      point.offset = offset;
    }
    const reach = Math.max(...points.map((p) => Math.abs(p.offset)), 1);
    if (reach > 84) for (const point of points) point.offset *= 84 / reach;
  }

  function widthFor(figure) {
    if (isPrinting) return figure.closest(".pair") ? PRINT_WIDTH.half : PRINT_WIDTH.whole;
    return Math.max(240, Math.floor(figure.querySelector(".plot").clientWidth));
  }

  const stateOf = (figure) => {
    if (!drawn.has(figure)) drawn.set(figure, { payload: JSON.parse(figure.querySelector("script.payload").textContent), turn: 0 });
    return drawn.get(figure);
  };

  /** Draw or redraw a figure. If it cannot be drawn it says so, and the others are still drawn. */
  async function draw(figure) {
    try {
      return await drawAnew(figure);
    } catch (error) {
      figure.querySelector(".plot").textContent = "This chart could not be drawn. Its figures are among the downloads.";
      figure.dataset.drawn = "failed";
      console.error(`${figure.id} could not be drawn:`, error);
      return stateOf(figure);
    }
  }

  /** If two drawings of a figure overlap, only the later one stays. */
  async function drawAnew(figure) {
    const state = stateOf(figure);
    const turn = (state.turn += 1);
    const width = widthFor(figure);
    await engine();
    const made = prepared(state.payload);
    const spec = specification(state.payload, made, width, isPrinting ? "light" : undefined);
    const canvas = document.createElement("div");
    const { view } = await vegaEmbed(canvas, spec, EMBEDDING);
    if (turn !== state.turn) {
      view.finalize();
      return state;
    }
    const plot = figure.querySelector(".plot");
    state.view?.finalize();
    plot.replaceChildren(canvas);
    canvas.setAttribute("aria-hidden", "true"); // screen readers use the table behind the chart
    Object.assign(state, { view, rows: made.rows, width });
    IG.pointing.attach(figure, state);
    IG.behind.refresh(figure, state);
    figure.dataset.drawn = "yes";
    return state;
  }

  /** Change parts of a figure's payload (title, caption, rows, text, columns …) and draw it again. */
  function update(figure, changes) {
    Object.assign(stateOf(figure).payload, changes);
    if (changes.title) {
      figure.querySelector(".finding").textContent = changes.title;
      figure.querySelector(".plot").setAttribute("aria-label", changes.title);
      figure.querySelector(".behind .scroll").setAttribute("aria-label", `Table behind: ${changes.title}`);
      figure.querySelector(".downloads").setAttribute("aria-label", `Save this chart: ${changes.title}`);
    }
    if (changes.source) figure.querySelector(".source").textContent = `Source: ${changes.source}`;
    if (changes.caption) figure.querySelector(".caption").textContent = changes.caption;
    return draw(figure);
  }

  /** A hidden view of the chart to save: light, 900 pixels wide, with its title and source. */
  async function forSaving(figure) {
    const { payload } = stateOf(figure);
    const spec = specification(payload, prepared(payload), payload.spec === "cartogram" ? 620 : 900, "light");
    const { find, done } = colours("light");
    const wrap = (text, length) => (text.match(new RegExp(`.{1,${length}}(\\s|$)`, "g")) ?? []).map((line) => line.trim());
    const length = payload.spec === "cartogram" ? 70 : 100;
    const about = [figure.querySelector(".caption").textContent, `Source: ${payload.source}`];
    spec.title = {
      text: wrap(payload.title, length), subtitle: about.flatMap((text) => wrap(text, Math.round(length * 1.2))),
      anchor: "start", frame: "bounds", offset: 18, fontSize: 17, color: find("ink"), subtitleColor: find("muted-ink"), subtitlePadding: 6,
    };
    spec.padding = 18;
    done();
    const { view } = await vegaEmbed(document.createElement("div"), spec, EMBEDDING);
    return view;
  }

  async function drawAll() {
    await Promise.all([...document.querySelectorAll("figure.chart")].map(draw));
    document.documentElement.dataset.charts = "drawn";
  }

  /**
   * Charts in view are drawn first, then the other visible ones, one at a time when the browser is idle. So a chart is
   * ready however fast somebody scrolls, jumps or prints. Hidden charts are drawn when they are shown.
   */
  function begin() {
    if (isPrinting) {
      drawAll();
      return;
    }
    const waiting = new Set(document.querySelectorAll("figure.chart:not([data-later])"));
    const seen = new IntersectionObserver((entries) => {
      for (const entry of entries.filter((e) => e.isIntersecting)) take(entry.target);
    }, { rootMargin: "400px" });
    const take = (figure) => {
      seen.unobserve(figure);
      return waiting.delete(figure) ? draw(figure) : null;
    };
    const takeNext = async () => {
      const next = [...waiting].find((figure) => figure.offsetParent);
      if (!next) return;
      await take(next);
      whenIdle(takeNext);
    };
    if (waiting.size) engine();
    waiting.forEach((figure) => seen.observe(figure));
    whenIdle(takeNext);
    let timer;
    const widths = new ResizeObserver(() => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        for (const [figure, state] of drawn) {
          if (!isPrinting && figure.dataset.drawn && figure.offsetParent && Math.abs(state.width - widthFor(figure)) > 8) draw(figure);
        }
      }, 120);
    });
    widths.observe(document.querySelector("main"));
  }

  document.addEventListener("themechange", () => {
    for (const [figure] of drawn) if (figure.dataset.drawn) draw(figure);
  });
  window.addEventListener("beforeprint", () => {
    isPrinting = true;
    drawAll();
  });
  window.addEventListener("afterprint", () => {
    isPrinting = location.hash === "#print";
    for (const [figure] of drawn) if (figure.offsetParent) draw(figure);
  });
  document.addEventListener("DOMContentLoaded", begin);

  return { draw, update, forSaving, state: stateOf };
})();
