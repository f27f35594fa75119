// Shared by every page's scripts: data registered by script files (fetch does not work from a disk), names, numbers.
"use strict";

window.IG = (() => {
  const store = new Map();
  const objects = new Map();
  const loading = new Map();
  const root = document.documentElement.dataset.root;

  /** Register a value under a name. The data files call this. */
  function put(name, value) {
    store.set(name, value);
  }

  /** Register rows under a name, as lists in the order of `columns`, with further properties of the table. */
  function table(name, columns, rows, more = {}) {
    store.set(name, { columns, rows, ...more });
  }

  function get(name) {
    return store.get(name);
  }

  /** The rows of a table as objects, made once. A table that has not been loaded is empty. */
  function rows(name) {
    if (!objects.has(name)) {
      const held = store.get(name);
      if (!held) return [];
      objects.set(name, held.rows.map((row) => Object.fromEntries(held.columns.map((column, i) => [column, row[i]]))));
    }
    return objects.get(name);
  }

  /** Load a data file of the site once, by its path from the root. */
  function load(path) {
    if (!loading.has(path) && document.querySelector(`script[data-path="${path}"]`)) {
      loading.set(path, Promise.resolve());
    }
    if (!loading.has(path)) {
      loading.set(path, new Promise((resolve, reject) => {
        const script = document.createElement("script");
        script.src = root + path;
        script.dataset.path = path;
        script.onload = resolve;
        script.onerror = () => reject(new Error(`${path} could not be read`));
        document.head.append(script);
      }));
    }
    return loading.get(path);
  }

  let byCode;
  /** The area with a code: {code, name, kind, region, nation, path, scored}. */
  function place(code) {
    byCode ??= new Map(rows("places").map((area) => [area.code, area]));
    return byCode.get(code) ?? { code, name: code, kind: "", region: "", nation: "", path: "", scored: 0 };
  }

  /** The measure with an id, from `measures.js`. */
  function measure(id) {
    return (get("measures") ?? []).find((entry) => entry.id === id);
  }

  /** A number in British English with a true minus sign; text and years as they are. */
  function number(value, decimals) {
    if (value === null || value === undefined) return "";
    if (typeof value !== "number" || decimals === null || decimals === undefined) return String(value);
    const options = { minimumFractionDigits: decimals, maximumFractionDigits: decimals };
    return value.toLocaleString("en-GB", options).replace("-", "−");
  }

  /** A figure of a measure with its unit: £38.2 an hour, 74.1%. `short` keeps only the pound or the percent sign. */
  function amount(value, entry, short = false) {
    if (value === null || value === undefined) return "no figure";
    const sign = value < 0 ? "−" : "";
    const after = short && entry.after !== "%" ? "" : entry.after;
    return `${sign}${entry.before}${number(Math.abs(value), entry.decimals)}${after}`;
  }

  /** `1 district`, `2 districts`, `no districts`. */
  function count(n, one, many = `${one}s`) {
    return `${n ? number(n, 0) : "no"} ${n === 1 ? one : many}`;
  }

  /** `a`, `a and b`, `a, b and c`. */
  function listing(items) {
    return items.length < 2 ? items.join("") : `${items.slice(0, -1).join(", ")} and ${items.at(-1)}`;
  }

  /** Choices kept in the address after `#`, so that a view can be sent to someone. */
  function choices() {
    return new URLSearchParams(location.hash.slice(1));
  }

  /** The default selection of a list, if the address names nothing. */
  function preset(list) {
    return ([...list.options].find((option) => option.defaultSelected) ?? list.options[0])?.value ?? "";
  }

  /** Put the reader's choice into the address as a history entry, so that Back restores the previous choice. */
  function keep(values) {
    const held = new URLSearchParams(Object.entries(values).filter(([, value]) => value));
    const address = `#${held.toString().replaceAll("%2C", ",")}`;
    if (address !== location.hash) history.pushState(null, "", address);
  }

  /** The skip link moves the focus and leaves the choices in the address alone. */
  document.addEventListener("click", (event) => {
    if (!event.target.closest?.("a.skip")) return;
    event.preventDefault();
    document.getElementById("main").focus();
  });

  function announce(text) {
    document.getElementById("announcer").textContent = text;
  }

  return { put, table, get, rows, load, place, measure, number, amount, count, listing, choices, preset, keep, announce, root };
})();
