// Recipes: how a chart's rows are made from shared data. Each gives rows, or {rows, signals}.
"use strict";

IG.recipes = (() => {
  const CLASSES = 5;
  const SCORE_BREAKS = [35, 45, 55, 65];
  const FIFTHS = ["No figure", "Lowest fifth of its nation", "Second fifth", "Middle fifth", "Fourth fifth", "Highest fifth of its nation"];
  const HEXAGON = "M0,-1L0.866,-0.5L0.866,0.5L0,1L-0.866,0.5L-0.866,-0.5Z"; // a corner at the top, in the square from -1 to 1

  function named(row) {
    const { name, region } = IG.place(row.code);
    return { ...row, name, region };
  }

  /** Growth and sharing of all scored districts; `extra` is a wider area's own row. */
  function standings({ flavour, extra }) {
    const table = `standings-${flavour}`;
    const rows = IG.rows(table).map(named);
    if (!extra) return rows;
    const { columns } = IG.get(table);
    return [...rows, named(Object.fromEntries(columns.map((column, i) => [column, extra[i]])))];
  }

  /** Rank intervals of one domain, in the order of the scores. `value` is the middle of the interval for drawing. */
  function ranks({ flavour, domain }) {
    const field = domain === "growth" ? "x" : "y";
    return IG.rows(`standings-${flavour}`)
      .filter((row) => row[`${domain}_rank_lower`] !== null)
      .toSorted((a, b) => b[field] - a[field])
      .map((row, i, all) => {
        const [lower, upper] = [row[`${domain}_rank_lower`], row[`${domain}_rank_upper`]];
        return named({
          code: row.code, order: i + 1, of: all.length, value: (lower + upper) / 2, lower, upper,
          score: row[field], rank_lower: lower, rank_upper: upper,
        });
      });
  }

  /** The latest figures of a measure, a row a district, of all nations or of one. */
  function measure({ measure: id, nation }) {
    return IG.rows(`measure/${id}`).filter((row) => !nation || IG.place(row.code).nation === nation).map(named);
  }

  /** The same in the order of the figures, for those with a published interval. */
  function ordered(recipe) {
    return measure(recipe)
      .filter((row) => row.lower !== null && row.upper !== null)
      .toSorted((a, b) => a.value - b.value)
      .map((row, i, all) => ({ ...row, order: i + 1, of: all.length }));
  }

  /** A hexagon a district, or its boundary, with the class of its figure (-1: none) and the name of each class. */
  function map({ measure: id, shapes = "cells" }) {
    const entry = IG.measure(id);
    const held = new Map(IG.rows(`measure/${id}`).map((row) => [row.code, row]));
    const values = sorted([...held.values()]);
    const breaks = entry.isScore ? SCORE_BREAKS : quantiles(values);
    const breaksFor = entry.isApart ? breaksByNation([...held.values()]) : () => breaks;
    const rows = IG.rows(shapes).map((cell) => {
      const row = held.get(cell.code);
      // An outline with its own name belongs to a district that no longer exists.
      return { path: HEXAGON, ...named({ ...row, ...cell, class: row ? breaksFor(row).filter((b) => row.value >= b).length : -1 }), ...(cell.name && { name: cell.name, region: cell.region }) };
    });
    const { extent } = IG.get(shapes);
    if (entry.isApart) return { rows, signals: { labels: FIFTHS }, extent, palette: "sequential" };
    const ends = [entry.isScore ? 0 : values[0], ...breaks, entry.isScore ? 100 : values.at(-1)];
    const labels = [entry.isScore ? "No score that compares" : "No figure"];
    for (let i = 0; i < CLASSES; i += 1) {
      labels.push(`${IG.amount(ends[i], entry, true)} to ${i < CLASSES - 1 ? "under " : ""}${IG.amount(ends[i + 1], entry, true)}`);
    }
    return { rows, signals: { labels }, extent, palette: entry.isScore ? "diverging" : "sequential" };
  }

  const sorted = (rows) => rows.map((row) => row.value).sort((a, b) => a - b);

  /** If nations do not compare, a district is classed among those of its nation. */
  function breaksByNation(rows) {
    const nationOf = (row) => IG.place(row.code).nation;
    const groups = new Map([...new Set(rows.map(nationOf))].map((nation) => [nation, quantiles(sorted(rows.filter((row) => nationOf(row) === nation)))]));
    return (row) => groups.get(nationOf(row));
  }

  function quantiles(values) {
    return [1, 2, 3, 4].map((i) => values[Math.min(values.length - 1, Math.floor((i * values.length) / CLASSES))]);
  }

  /** Years without a figure stay empty, so that lines break there. */
  function series(name, held) {
    const years = new Map(held.map((row) => [row[0], row]));
    const [first, last] = [held[0]?.[0], held.at(-1)?.[0]];
    const rows = [];
    for (let year = first; year <= last; year += 1) {
      const [, value = null, lower = null, upper = null, status = ""] = years.get(year) ?? [];
      const alone = lower !== null && !years.has(year - 1) && !years.has(year + 1); // no ribbon reaches it
      rows.push({ year, series: name, value, lower, upper, alone, status: status === "ok" ? "" : status });
    }
    return rows;
  }

  /** One place beside the typical district and a wider area. */
  function trend({ indicator, place, wider, wider_name: widerName, typical: key }) {
    const own = IG.get(`area/${place}`);
    const rows = series(own.name, own.figures[indicator] ?? []);
    const from = rows[0]?.year;
    const typical = (IG.get("typical")[key] ?? []).map(([year, median]) => [year, median]);
    rows.push(...series("Typical district", typical.filter(([year]) => year >= from)));
    if (wider) {
      const held = (IG.get(`area/${wider}`).figures[indicator] ?? []).map(([year, value]) => [year, value]);
      rows.push(...series(widerName, held.filter(([year]) => year >= from)));
    }
    return rows;
  }

  /** The typical district with the middle 80% of districts, beside the nations that have figures. */
  function nations({ indicator, nations: names }) {
    const rows = series("Typical district", IG.get("typical")[indicator] ?? []);
    for (const [code, name] of Object.entries(names)) {
      const held = IG.get(`area/${code}`)?.figures[indicator] ?? [];
      rows.push(...series(name, held.map(([year, value]) => [year, value])));
    }
    return rows;
  }

  function borders() {
    return IG.rows("borders");
  }

  return { borders, standings, ranks, measure, ordered, map, trend, nations, series };
})();
