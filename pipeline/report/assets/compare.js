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

  /** A place's score on a measure, from its own file: wider areas are in no measure's table. */
  function scoreOf(code, measureId) {
    const [flavour, ...node] = measureId.split("-");
    const found = IG.get(`area/${code}`)?.scores[flavour]?.[node.join("-")];
    if (!found) return null;
    const [value, lower, upper, best, worst, isBand] = found;
    return { code, name: IG.place(code).name, value, lower, upper, ranks: best === null ? "" : `${isBand ? "band " : ""}${best} to ${worst}` };
  }

  /** The finding: a group by how many of its members can be told apart, places by whether the first can be. */
  function finding(rows, group, entry, missing) {
    const what = `${entry.title.toLowerCase()}${entry.when.startsWith("change") ? ` (${entry.when})` : ` in ${entry.when}`}`;
    if (!rows.length) return `None of these places has a score on ${what}`;
    if (group) {
      const known = rows.filter((row) => row.code !== group.code && row.lower !== null);
      const [above, below] = [known.filter((row) => row.lower > 50).length, known.filter((row) => row.upper < 50).length];
      const without = group.members.length - rows.filter((row) => row.code !== group.code).length;
      const gone = without ? `; ${IG.count(without, "has", "have")} no score` : "";
      return `Of the ${IG.count(group.members.length, group.parts)} of ${group.said}, ${above || "none"} ${above === 1 ? "has" : "have"} an interval wholly above the typical district on ${what} and ${below || "none"} wholly below${gone}`;
    }
    const [first, second] = rows;
    const gone = missing ? `; ${IG.count(missing, "place has", "places have")} no score` : "";
    if (!second) return `${first.name} scores ${IG.number(first.value, 0)} on ${what}, where 50 is the typical district${gone}`;
    if (first.lower === null || second.upper === null) return `${first.name} has the highest score on ${what}, as far as figures without a published error can say${gone}`;
    if (first.lower > second.upper) return `${first.name} scores highest on ${what}, clearly above ${second.name}${gone}`;
    return `On ${what}, ${first.name} and ${second.name} cannot be told apart at the top${gone}`;
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
    const rows = found.filter(Boolean).toSorted((a, b) => b.value - a.value);
    await IG.charts.update(ranges, {
      title: finding(rows, group, entry, found.length - rows.length),
      file: `compare-${id}`,
      rows: { points: rows.map((row) => ({ ...row, series: row.code === group?.code ? "The group" : SERIES })), field: field(id, rows.map((row) => row.name)) },
      text: { x_title: `${entry.title}, ${entry.when}: score (50 is the typical district)`, a: SERIES, ...(rows.some((row) => row.code === group?.code) && { b: "The group" }) },
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

  /** What is said where places of several nations are shown on something that nations measure differently. */
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

  /** Show what is chosen. Of several choices made while files are on their way only the last is shown. */
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

  /** Show what a person chose and keep it in the address. */
  function choose() {
    IG.keep({ places: held.places.join(","), group: held.group, score: controls.score.value, figure: controls.figure.value });
    return show();
  }

  /** Set the choice after the address. */
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
