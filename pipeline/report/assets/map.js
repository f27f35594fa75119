// The map page: any measure, chosen from a list and kept in the address.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const list = document.getElementById("measure");
  if (!list) return;
  const [map, swarm] = ["map", "map-distribution"].map((id) => document.getElementById(id));

  const outlines = document.getElementById("outlines"); // offers real boundaries, if they were downloaded
  const captions = { cells: map.querySelector(".caption").textContent, boundaries: outlines?.dataset.caption };
  const changed = document.getElementById("changed");
  const chosenShapes = () => (outlines?.checked ? "boundaries" : "cells");
  let turn = 0;

  /** The finding of the dot chart: where most districts are. */
  function spread(entry, rows) {
    const values = rows.filter((row) => IG.place(row.code).scored).map((row) => row.value).sort((a, b) => a - b);
    if (values.length < 2) return `${entry.title}, ${entry.when}: ${IG.count(values.length, "scored district has", "scored districts have")} a figure`;
    const [low, high] = [0.1, 0.9].map((share) => values[Math.round(share * (values.length - 1))]);
    return `${entry.title}, ${entry.when}: the middle 80% of districts lie between ${IG.amount(low, entry, true)} and ${IG.amount(high, entry)}`;
  }

  /** Show what is chosen. If the reader chooses again while files are loading, only the last choice is shown. */
  async function show() {
    const id = list.value;
    const entry = IG.measure(id);
    const shapes = chosenShapes();
    const mine = (turn += 1);
    await Promise.all([IG.load(`data/measures/${id}.js`), shapes === "boundaries" && IG.load("data/boundaries.js")]);
    if (mine !== turn) return;
    const rows = IG.rows(`measure/${id}`);
    if (changed) changed.hidden = shapes !== "boundaries";
    const interval = entry.isScore ? "90% interval" : "95% interval";
    const columns = [
      { field: "name", title: "District", decimals: null },
      { field: "region", title: "Region or nation", decimals: null },
      { field: "value", title: `${entry.title}${entry.isScore ? ", score" : `, ${entry.axis}`}`, decimals: entry.decimals },
      { field: "lower", title: `Lower end of ${interval}`, decimals: entry.decimals },
      { field: "upper", title: `Upper end of ${interval}`, decimals: entry.decimals },
      { field: "verdict", title: "Against the typical district", decimals: null },
      { field: "year", title: "Year", decimals: null },
    ];
    const { source } = entry;
    const shared = { columns, source };
    await IG.charts.update(map, {
      ...shared,
      title: entry.finding,
      file: `map-${id}`,
      source: shapes === "boundaries" ? `${source} ${outlines.dataset.source}` : source,
      caption: captions[shapes],
      rows: { points: { from: "map", measure: id, shapes }, borders: shapes === "cells" ? { from: "borders" } : [] },
    });
    if (mine !== turn) return;
    swarm.hidden = entry.isApart; // one scale for all would compare figures that do not compare
    if (!swarm.hidden) await IG.charts.update(swarm, {
      ...shared,
      title: spread(entry, rows),
      file: `distribution-${id}`,
      rows: {
        points: { from: "measure", measure: id },
        typical: entry.typical === null ? [] : [{ value: entry.typical, name: "Typical district" }],
      },
      text: { x_title: entry.axis },
    });
    document.getElementById("about-measure").hidden = entry.isScore;
    document.getElementById("about-measure").href = `indicators/${id}.html`;
    document.title = `${entry.title} – Map – Inclusive growth in UK local areas`;
  }

  /** Set the controls from the address. */
  function read() {
    const wanted = IG.choices();
    list.value = IG.measure(wanted.get("measure")) ? wanted.get("measure") : IG.preset(list);
    for (const control of document.querySelectorAll("[name=shapes]")) {
      control.checked = (control === outlines) === (wanted.get("shapes") === "boundaries");
    }
  }

  for (const control of [list, ...document.querySelectorAll("[name=shapes]")]) {
    control.addEventListener("change", () => {
      IG.keep({ measure: list.value, shapes: chosenShapes() === "boundaries" ? "boundaries" : "" });
      show();
    });
  }
  window.addEventListener("hashchange", () => {
    read();
    show();
  });
  read();
  show();
});
