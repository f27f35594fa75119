// The map page: any measure, chosen from a list and kept in the address.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const list = document.getElementById("measure");
  if (!list) return;
  const [map, swarm] = ["map", "map-distribution"].map((id) => document.getElementById(id));

  /** The finding: how many can be told apart where intervals are known, else the range of the figures. */
  function finding(entry, rows) {
    const when = `${entry.title}, ${entry.year}`;
    const known = rows.filter((row) => row.lower !== null);
    if (known.length) {
      const told = known.filter((row) => !row.unsure).length;
      return `${when}: ${IG.count(told, "district")} of ${known.length} can be told apart from the typical district`;
    }
    const values = rows.map((row) => row.value);
    const [low, high] = [Math.min(...values), Math.max(...values)];
    return `${when}: from ${IG.amount(low, entry, true)} to ${IG.amount(high, entry)}; no survey error is published`;
  }

  async function show(id) {
    const entry = IG.measure(id);
    await IG.load(`data/measures/${id}.js`);
    const rows = IG.rows(`measure/${id}`);
    const title = finding(entry, rows);
    const interval = entry.isScore ? "90% interval" : "95% interval";
    const columns = [
      { field: "name", title: "District", decimals: null },
      { field: "region", title: "Region or nation", decimals: null },
      { field: "value", title: `${entry.title}${entry.isScore ? ", score" : `, ${entry.axis}`}`, decimals: entry.decimals },
      { field: "lower", title: `Lower end of ${interval}`, decimals: entry.decimals },
      { field: "upper", title: `Upper end of ${interval}`, decimals: entry.decimals },
      { field: "year", title: "Year", decimals: null },
    ];
    const source = entry.source.charAt(0).toUpperCase() + entry.source.slice(1);
    const shared = { title, columns, source };
    await IG.charts.update(map, { ...shared, file: `map-${id}`, rows: { points: { from: "map", measure: id }, borders: { from: "borders" } } });
    await IG.charts.update(swarm, {
      ...shared,
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

  const wanted = IG.choices().get("measure");
  if (wanted && IG.measure(wanted)) list.value = wanted;
  list.addEventListener("change", () => {
    IG.keep({ measure: list.value });
    show(list.value);
  });
  show(list.value);
});
