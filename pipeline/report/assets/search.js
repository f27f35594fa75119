// A search box for places, following the combobox pattern of the ARIA Authoring Practices Guide.
"use strict";

IG.search = (() => {
  const MOST = 12;
  let number = 0;

  /** Letters without accents, apostrophes and case, so that "st helens" finds "St. Helens". */
  function plain(text) {
    return text.normalize("NFD").replace(/[\u0300-\u036f'’.,]/g, "").replaceAll("-", " ").toLowerCase();
  }

  function matches(areas, typed) {
    const wanted = plain(typed.trim());
    if (!wanted) return [];
    const graded = areas.map((area) => {
      const name = plain(area.name);
      if (name === wanted || area.code.toLowerCase() === wanted) return [0, area];
      if (name.startsWith(wanted)) return [1, area];
      if (name.includes(` ${wanted}`)) return [2, area];
      return name.includes(wanted) ? [3, area] : null;
    });
    return graded.filter(Boolean).sort((a, b) => a[0] - b[0] || a[1].name.localeCompare(b[1].name, "en-GB")).slice(0, MOST).map(([, area]) => area);
  }

  /** Make `input` find areas; `chosen` is called with the reader's pick. */
  function attach(input, chosen, areas = () => IG.rows("places")) {
    number += 1;
    const list = document.createElement("ul");
    list.id = `found-${number}`;
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", "Places found");
    list.hidden = true;
    const nothing = document.createElement("p");
    nothing.className = "nothing";
    nothing.hidden = true;
    input.after(list, nothing);
    for (const [name, value] of Object.entries({ role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": list.id })) {
      input.setAttribute(name, value);
    }
    let found = [];
    let active = -1;

    function close() {
      list.hidden = nothing.hidden = true;
      active = -1;
      input.setAttribute("aria-expanded", "false");
      input.removeAttribute("aria-activedescendant");
    }

    function activate(i) {
      active = (i + found.length) % found.length;
      [...list.children].forEach((option, j) => option.setAttribute("aria-selected", String(j === active)));
      const option = list.children[active];
      input.setAttribute("aria-activedescendant", option.id);
      option.scrollIntoView({ block: "nearest" });
    }

    function open() {
      found = matches(areas(), input.value);
      list.replaceChildren(...found.map((area, i) => {
        const option = document.createElement("li");
        option.id = `${list.id}-${i}`;
        option.setAttribute("role", "option");
        option.setAttribute("aria-selected", "false");
        const where = document.createElement("span");
        where.className = "where";
        where.textContent = [area.kind, area.region !== area.name && area.region].filter(Boolean).join(", ");
        option.append(area.name, where);
        option.onmousedown = (event) => {
          event.preventDefault();
          pick(i);
        };
        return option;
      }));
      active = -1;
      list.hidden = !found.length;
      input.setAttribute("aria-expanded", String(found.length > 0));
      input.removeAttribute("aria-activedescendant");
      const typed = input.value.trim();
      nothing.hidden = !typed || found.length > 0;
      nothing.textContent = `Nothing found for “${typed}”. Type part of the name of a council, county, region, nation or group.`;
      if (typed) IG.announce(found.length ? `${IG.count(found.length, "place")} found` : nothing.textContent);
    }

    function pick(i) {
      const area = found[i];
      close();
      if (area) chosen(area);
    }

    input.addEventListener("input", open);
    input.addEventListener("focus", () => input.value && open());
    input.addEventListener("blur", close);
    input.addEventListener("keydown", (event) => {
      if (event.key === "Escape") close();
      if (event.key === "Enter") {
        event.preventDefault();
        if (list.hidden) open();
        if (found.length) pick(Math.max(active, 0));
      }
      if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
      event.preventDefault();
      if (list.hidden) open();
      if (found.length) activate(active + (event.key === "ArrowDown" ? 1 : active < 0 ? 0 : -1));
    });
  }

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("input[data-find]").forEach((input) => {
      attach(input, (area) => {
        location.href = IG.root + area.path;
      });
    });
  });

  return { attach };
})();
