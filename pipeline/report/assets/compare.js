// The comparison: up to five places, or all members of a group, on a score and on an indicator over the years.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const MOST = 5;
  const SERIES = "Score with its 90% interval";
  const controls = Object.fromEntries(["group", "score", "figure", "places", "add-place", "clear"].map((id) => [id, document.getElementById(id)]));
  const [ranges, trend] = ["compare-scores", "compare-trend"].map((id) => document.getElementById(id));
  const empty = document.getElementById("nothing-chosen");
  const held = { places: [], group: "" };
  const captionOfTrend = trend.querySelector(".caption").textContent;
  let turn = 0;

  function groupOf(code) {
    return (IG.get("groups") ?? []).find((group) => group.code === code);
  }

  /** A place's score on a measure, from its own file, since measure tables omit wider areas. `basis` is the set of parts it has. */
  function scoreOf(code, measureId) {
    const [flavour, ...node] = measureId.split("-");
    const found = IG.get(`area/${code}`)?.scores[flavour]?.[node.join("-")];
    if (!found) return null;
    const [value, lower, upper, ranks, verdict, title, lacks] = found;
    return { code, name: IG.place(code).name, value, lower, upper, ranks, verdict, lacks, basis: `${title}, ${lacks}` };
  }

  /** The most common basis of the scores; in a tie, that of districts. */
  function commonBasis(rows) {
    const times = new Map();
    for (const { basis } of rows) times.set(basis, (times.get(basis) ?? 0) + 1);
    const most = Math.max(...times.values());
    const candidates = rows.filter(({ basis }) => times.get(basis) === most);
    return (candidates.find(({ lacks }) => !lacks) ?? candidates[0])?.basis;
  }

  /** The row of a score made of different parts: it is listed but not drawn. */
  function notComparable(row) {
    const why = row.lacks ? `it has no ${row.lacks}` : "it is made of different parts";
    return { ...row, value: null, lower: null, upper: null, ranks: "", verdict: `not comparable: ${why}` };
  }

  /** The finding: how many of a group's members are clearly on either side, or the score and verdict of each place. */
  function finding(drawn, apart, group, entry, missing) {
    const what = `${entry.title.toLowerCase()}${entry.when.startsWith("change") ? ` (${entry.when})` : ` in ${entry.when}`}`;
    if (!drawn.length) return `None of these places has a score on ${what}`;
    const gone = missing ? `; ${IG.count(missing, "has", "have")} no score` : "";
    const others = apart.length ? `; not comparable: ${IG.listing(apart.map((row) => row.name))}` : "";
    const basis = drawn[0].lacks ? `; these scores have no ${drawn[0].lacks}, so compare them with one another only` : "";
    if (group) {
      const members = drawn.filter((row) => row.code !== group.code);
      const { above, below, unknown } = entry.verdicts;
      const [higher, lower, open] = [above, below, unknown].map((verdict) => members.filter((row) => row.verdict === verdict).length);
      const verb = entry.when.startsWith("change") ? "" : higher === 1 ? "is " : "are ";
      const doubt = open ? `; for ${open} we do not know how sure this is` : "";
      const who = `of the ${IG.count(group.members.length, group.parts)} of ${group.said}`;
      if (open === members.length) return `On ${what}, how sure the scores ${who} are, is not known${gone}${others}${basis}`;
      return `On ${what}, ${who}, ${higher || "none"} ${verb}${above} the typical district and ${lower || "none"} ${below} it${doubt}${gone}${others}${basis}`;
    }
    const each = drawn.map((row) => `${row.name} ${IG.number(row.value, 0)} (${row.verdict})`);
    return `On ${what}, where 50 is the typical district: ${IG.listing(each)}${gone}${others}${basis}`;
  }

  function field(measureId, names) {
    const values = IG.rows(`measure/${measureId}`).filter((row) => IG.place(row.code).scored).map((row) => row.value).sort((a, b) => a - b);
    if (!values.length) return [];
    const [low, high] = [0.1, 0.9].map((share) => values[Math.round(share * (values.length - 1))]);
    return names.map((name) => ({ name, low, high }));
  }

  async function showScores(codes, group) {
    const id = controls.score.value;
    const entry = IG.measure(id);
    const found = codes.map((code) => scoreOf(code, id));
    const scored = found.filter(Boolean).toSorted((a, b) => b.value - a.value);
    const basis = commonBasis(scored);
    const drawn = scored.filter((row) => row.basis === basis);
    const apart = scored.filter((row) => row.basis !== basis).map(notComparable);
    const rows = [...drawn, ...apart];
    await IG.charts.update(ranges, {
      title: finding(drawn, apart, group, entry, found.length - scored.length),
      file: `compare-${id}`,
      rows: { points: rows.map((row) => ({ ...row, series: row.code === group?.code ? "The group" : SERIES })), field: drawn[0]?.lacks ? [] : field(id, drawn.map((row) => row.name)) },
      text: { x_title: `${entry.title}, ${entry.when}: score (50 is the typical district)`, a: SERIES, ...(drawn.some((row) => row.code === group?.code) && { b: "The group" }) },
    });
  }

  async function showTrend(codes) {
    const id = controls.figure.value;
    const entry = IG.measure(id);
    const drawn = codes.filter((code) => IG.get(`area/${code}`)?.figures[id]).slice(0, MOST);
    const names = drawn.map((code) => IG.place(code).name);
    const rows = drawn.flatMap((code) => IG.recipes.series(IG.place(code).name, IG.get(`area/${code}`).figures[id]));
    const from = Math.min(...rows.map((row) => row.year));
    const typical = (entry.isApart ? [] : (IG.get("typical")[id] ?? [])).filter(([year]) => year >= from).map(([year, median]) => [year, median]);
    rows.push(...IG.recipes.series("Typical district", typical));
    const text = { y_title: entry.axis, ...(!entry.isApart && { f: "Typical district" }) };
    names.forEach((name, i) => {
      text["abcde"[i]] = name;
    });
    const { columns } = IG.charts.state(trend).payload;
    await IG.charts.update(trend, {
      title: drawn.length ? `${entry.title}: ${latest(drawn, id, entry)}${apart(drawn, entry)}` : `${entry.title}: none of these places has figures`,
      file: `compare-${id}`,
      source: entry.source,
      caption: captionOfTrend + entry.breakNote,
      breaks: entry.breaks,
      columns: columns.map((column) => (["value", "lower", "upper"].includes(column.field) ? { ...column, decimals: entry.decimals } : column)),
      rows: { points: rows },
      text,
    });
  }

  /** The warning where places in several nations are shown on an indicator that nations measure differently. */
  function apart(codes, entry) {
    const nations = new Set(codes.map((code) => IG.place(code).nation));
    return entry.isApart && nations.size > 1 ? "; nations measure it differently and do not compare" : "";
  }

  function latest(codes, id, entry) {
    return IG.listing(codes.map((code) => {
      const [year, value] = IG.get(`area/${code}`).figures[id].at(-1);
      return `${IG.place(code).name} ${IG.amount(value, entry, true)} in ${year}`;
    }));
  }

  function chips() {
    controls.places.replaceChildren(...held.places.map((code) => {
      const item = document.createElement("li");
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = IG.place(code).name;
      button.setAttribute("aria-label", `Remove ${IG.place(code).name}`);
      button.onclick = () => {
        held.places = held.places.filter((other) => other !== code);
        choose();
        controls["add-place"].focus();
      };
      item.append(button);
      return item;
    }));
    controls["add-place"].disabled = held.places.length >= MOST;
    document.getElementById("add-hint").textContent = held.places.length >= MOST ? "Five places are the most; remove one to add another." : "";
  }

  /** Show what is chosen. If the reader chooses again while files are loading, only the last choice is shown. */
  async function show() {
    const mine = (turn += 1);
    const group = groupOf(held.group);
    const codes = group ? [...group.members, group.code] : held.places;
    chips();
    empty.hidden = codes.length > 0;
    for (const figure of [ranges, trend]) figure.hidden = !codes.length;
    if (!codes.length) return;
    await Promise.all([...codes.map((code) => IG.load(`data/areas/${code}.js`)), IG.load(`data/measures/${controls.score.value}.js`)]);
    if (mine !== turn) return;
    await showScores(codes, group);
    if (mine !== turn) return;
    await showTrend(group ? [group.code, ...(group.members.length < MOST ? group.members : [])] : codes);
    IG.announce(ranges.querySelector(".finding").textContent);
  }

  /** Show the reader's choice and keep it in the address. */
  function choose() {
    IG.keep({ places: held.places.join(","), group: held.group, score: controls.score.value, figure: controls.figure.value });
    return show();
  }

  /** Set the choice from the address. */
  function read() {
    const wanted = IG.choices();
    held.places = [...new Set((wanted.get("places") ?? "").split(","))].filter((code) => IG.place(code).path).slice(0, MOST);
    held.group = groupOf(wanted.get("group")) ? wanted.get("group") : "";
    for (const id of ["score", "figure"]) controls[id].value = IG.measure(wanted.get(id)) ? wanted.get(id) : IG.preset(controls[id]);
    controls.group.value = held.group;
  }

  for (const group of IG.get("groups") ?? []) {
    const option = new Option(`${group.name} (${group.kind}, ${IG.count(group.members.length, group.parts)})`, group.code);
    controls.group.add(option);
  }
  IG.search.attach(controls["add-place"], (area) => {
    controls["add-place"].value = "";
    controls.group.value = held.group = "";
    if (!held.places.includes(area.code)) held.places.push(area.code);
    choose();
  });
  controls.group.addEventListener("change", () => {
    held.group = controls.group.value;
    held.places = [];
    choose();
  });
  controls.clear.addEventListener("click", () => {
    held.places = [];
    controls.group.value = held.group = "";
    choose();
  });
  for (const id of ["score", "figure"]) controls[id].addEventListener("change", choose);
  window.addEventListener("hashchange", () => {
    read();
    show();
  });
  read();
  show();
});
