// Pointing at a mark, with a mouse, a finger or the arrow keys: a box beside it says what it is.
"use strict";

IG.pointing = (() => {
  const WALKED_BOTH_WAYS = new Set(["quadrant", "cartogram"]);
  const STEPS = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const INTERVALS = [["value", "lower", "upper"], ["x", "x_lower", "x_upper"], ["y", "y_lower", "y_upper"]];

  /** What is said of a mark: a heading and lines of (what, how much), after the columns of the table behind. */
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

  function show(payload, datum, x, y) {
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
    tip.hidden = false;
    const { width, height } = tip.getBoundingClientRect();
    tip.style.left = `${Math.max(4, Math.min(x + 14, document.documentElement.clientWidth - width - 8))}px`;
    tip.style.top = `${y + height + 24 > window.innerHeight ? Math.max(4, y - height - 12) : y + 16}px`;
    return `${heading}. ${said.map(([what, value]) => `${what}: ${value}`).join(". ")}`;
  }

  function hide() {
    box().hidden = true;
  }

  /** The drawn marks that stand for rows, with where they are on the plot. */
  function dots(view) {
    const find = (mark) => (mark.name === "dots_marks" ? mark : mark.items?.flatMap((item) => item.items ?? []).map(find).find(Boolean));
    return find(view.scenegraph().root)?.items ?? [];
  }

  /** The next mark in a direction: along the row of marks, or the nearest that lies that way. */
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
    return [frame.left + left, frame.top + top];
  }

  /** Listen on a figure's new view. Marks without a code say what they are and lead nowhere. */
  function attach(figure, state) {
    const { view, payload } = state;
    const plot = figure.querySelector(".plot");
    let hovered = "";
    const mark = (code) => {
      if (hovered === code) return;
      hovered = code;
      if (view.signal && payload.signals && "hovered" in view.getState().signals) view.signal("hovered", code).run();
    };
    view.addEventListener("pointermove", (event, item) => {
      const datum = item?.datum;
      if (!datum || payload.columns.every((column) => datum[column.field] === undefined)) {
        mark("");
        hide();
        return;
      }
      mark(datum.code ?? "");
      show(payload, datum, event.clientX, event.clientY);
    });
    view.addEventListener("pointerout", () => {
      mark("");
      hide();
    });
    view.addEventListener("click", (_, item) => {
      if (item?.datum?.code) open(item.datum.code);
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
      mark(current.datum.code ?? "");
      const [left, top] = origin(plot, view);
      IG.announce(show(payload, current.datum, left + current.x, top + current.y));
    };
    plot.onblur = () => {
      mark("");
      hide();
    };
  }

  return { attach };
})();
