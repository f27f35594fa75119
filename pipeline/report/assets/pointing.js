// A box that describes a mark when a mouse, a finger or the arrow keys point at it.
"use strict";

IG.pointing = (() => {
  const WALKED_BOTH_WAYS = new Set(["quadrant", "cartogram"]);
  const STEPS = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const REACH = 24; // pixels: a touch selects the nearest mark within this distance
  const INTERVALS = [["value", "lower", "upper"], ["x", "x_lower", "x_upper"], ["y", "y_lower", "y_upper"]];

  /** The text for a mark: a heading and lines of (label, value), from the columns of the table behind. */
  function lines(payload, datum) {
    const ends = new Set(INTERVALS.flatMap(([, lower, upper]) => [lower, upper]));
    const [first, ...rest] = payload.columns;
    const said = [];
    for (const column of rest) {
      const value = datum[column.field];
      if (value === null || value === undefined || value === "" || ends.has(column.field)) continue;
      said.push([column.title, IG.number(value, column.decimals ?? undefined)]);
      const interval = INTERVALS.find(([field]) => field === column.field);
      if (interval && typeof datum[interval[1]] === "number" && payload.columns.some((c) => c.field === interval[1])) {
        const [low, high] = interval.slice(1).map((field) => IG.number(datum[field], column.decimals ?? undefined));
        said.push(["Interval", `${low} to ${high}`]);
      }
    }
    return { heading: String(datum[first.field] ?? ""), said };
  }

  function box() {
    let tip = document.getElementById("tip");
    if (!tip) {
      tip = document.createElement("div");
      tip.id = "tip";
      tip.hidden = true;
      document.body.append(tip);
    }
    return tip;
  }

  function show(payload, datum, x, y, hint = "") {
    const { heading, said } = lines(payload, datum);
    const tip = box();
    const title = document.createElement("strong");
    title.textContent = heading;
    const list = document.createElement("dl");
    for (const [what, value] of said) {
      const [term, detail] = ["dt", "dd"].map((tag) => document.createElement(tag));
      term.textContent = what;
      detail.textContent = value;
      list.append(term, detail);
    }
    tip.replaceChildren(title, list);
    if (hint) tip.append(Object.assign(document.createElement("p"), { textContent: hint }));
    tip.hidden = false;
    const { width, height } = tip.getBoundingClientRect();
    tip.style.left = `${Math.max(4, Math.min(x + 14, document.documentElement.clientWidth - width - 8))}px`;
    tip.style.top = `${y + height + 24 > window.innerHeight ? Math.max(4, y - height - 12) : y + 16}px`;
    return `${heading}. ${said.map(([what, value]) => `${what}: ${value}`).join(". ")}`;
  }

  let told = null; // what the box describes: {plot, code, byTouch, unmark}

  function hide() {
    box().hidden = true;
    told?.unmark();
    told = null;
  }

  // A finger does not leave a mark as a mouse does, so a touch elsewhere or a scroll closes the box. A touch on the
  // same
  // chart may be the second tap, so the chart decides.
  document.addEventListener("pointerdown", (event) => {
    if (told?.byTouch && !told.plot.contains(event.target)) hide();
  });
  window.addEventListener("scroll", () => told?.byTouch && hide(), { passive: true });

  /** The drawn marks that stand for rows, with where they are on the plot. */
  function dots(view) {
    const find = (mark) => (mark.name === "dots_marks" ? mark : mark.items?.flatMap((item) => item.items ?? []).map(find).find(Boolean));
    return find(view.scenegraph().root)?.items ?? [];
  }

  /** The next mark in a direction: along the row of marks, or the nearest in that direction. */
  function next(items, current, [dx, dy], bothWays) {
    if (!current) return items[0];
    if (!bothWays) {
      const sorted = items.toSorted((a, b) => a.x - b.x || a.y - b.y);
      const step = dx || -dy;
      return sorted[Math.max(0, Math.min(sorted.length - 1, sorted.indexOf(current) + step))];
    }
    let best = current;
    let least = Infinity;
    for (const item of items) {
      const along = (item.x - current.x) * dx + (item.y - current.y) * dy;
      const aside = Math.abs((item.x - current.x) * dy) + Math.abs((item.y - current.y) * dx);
      if (along > 0.5 && along + 2 * aside < least) [best, least] = [item, along + 2 * aside];
    }
    return best;
  }

  function open(code) {
    const { path } = IG.place(code);
    if (path) location.href = IG.root + path;
  }

  function origin(plot, view) {
    const frame = plot.querySelector("svg").getBoundingClientRect();
    const [left, top] = view.origin();
    const padding = view.padding();
    return [frame.left + padding.left + left, frame.top + padding.top + top];
  }

  /** The mark nearest to a point on the plot, if it is within reach of a touch. */
  function nearest(view, x, y) {
    const far = (item) => Math.hypot(item.x - x, item.y - y);
    const best = dots(view).reduce((a, b) => (a && far(a) <= far(b) ? a : b), undefined);
    return best && far(best) <= REACH ? best : undefined;
  }

  /**
   * Listen on a figure's new view. Marks without a code show their text but open nothing. With a mouse, pointing reads
   * and a click opens; with a finger, the first tap reads and a second on the same mark opens.
   */
  function attach(figure, state) {
    const { view, payload } = state;
    const plot = figure.querySelector(".plot");
    if (told?.plot === plot) {
      told.unmark = () => {}; // the view it marked is gone
      hide();
    }
    let hovered = "";
    const mark = (code) => {
      if (hovered === code) return;
      hovered = code;
      if (view.signal && payload.signals && "hovered" in view.getState().signals) view.signal("hovered", code).run();
    };
    const isRow = (datum) => Boolean(datum) && payload.columns.some((column) => datum[column.field] !== undefined);
    const tell = (datum, x, y, byTouch = false) => {
      const code = datum.code ?? "";
      if (told?.plot !== plot) hide();
      told = { plot, code, byTouch, unmark: () => mark("") };
      mark(code);
      return show(payload, datum, x, y, byTouch && IG.place(code).path ? "Tap again to open its page." : "");
    };
    let isTouch = false;
    plot.onpointerdown = (event) => {
      isTouch = event.pointerType === "touch";
    };
    view.addEventListener("pointermove", (event, item) => {
      if (event.pointerType === "touch") return;
      if (isRow(item?.datum)) tell(item.datum, event.clientX, event.clientY);
      else hide();
    });
    // Marking a row redraws the mark under the pointer, which the browser reports as leaving it. So only leaving the
    // whole plot counts.
    plot.onpointerleave = (event) => {
      if (event.pointerType !== "touch") hide();
    };
    view.addEventListener("click", (event, item) => {
      let datum = isRow(item?.datum) ? item.datum : undefined;
      if (!isTouch) {
        if (datum?.code) open(datum.code);
        return;
      }
      const [left, top] = origin(plot, view);
      datum ??= nearest(view, event.clientX - left, event.clientY - top)?.datum;
      if (datum?.code && told?.byTouch && told.plot === plot && told.code === datum.code) open(datum.code);
      else if (datum) tell(datum, event.clientX, event.clientY, true);
      else hide();
    });
    let current = null;
    plot.onkeydown = (event) => {
      if (event.key === "Escape") hide();
      if (event.key === "Enter" && current?.datum.code) open(current.datum.code);
      if (!(event.key in STEPS)) return;
      event.preventDefault();
      const items = dots(view);
      if (!items.length) return;
      const start = current && items.find((item) => item.datum === current.datum || (item.datum.code && item.datum.code === current.datum.code));
      const chosen = items.find((item) => item.datum.code && item.datum.code === payload.signals.chosen);
      current = start ? next(items, start, STEPS[event.key], WALKED_BOTH_WAYS.has(payload.spec)) : (chosen ?? items[0]);
      const [left, top] = origin(plot, view);
      IG.announce(tell(current.datum, left + current.x, top + current.y));
    };
    plot.onblur = hide;
  }

  return { attach };
})();
