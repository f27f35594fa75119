// The table behind a chart, built when opened, and the files that the chart can be saved as.
"use strict";

IG.behind = (() => {
  function cell(row, column) {
    return IG.number(row[column.field], column.decimals ?? undefined);
  }

  function made(payload, rows) {
    const table = document.createElement("table");
    const caption = table.createCaption();
    caption.textContent = payload.title;
    const head = table.createTHead().insertRow();
    for (const column of payload.columns) {
      const title = document.createElement("th");
      title.scope = "col";
      title.textContent = column.title;
      if (column.decimals !== null) title.className = "number";
      head.append(title);
    }
    const body = table.createTBody();
    for (const row of rows) {
      const line = body.insertRow();
      payload.columns.forEach((column, i) => {
        const td = i === 0 ? document.createElement("th") : document.createElement("td");
        if (i === 0) td.scope = "row";
        td.textContent = cell(row, column);
        if (column.decimals !== null) td.className = "number";
        line.append(td);
      });
    }
    return table;
  }

  /** The rows behind a chart: those it draws and those it mentions, without the empty years of a line. */
  function shown({ rows }) {
    return rows.points.filter((row) => row.value !== null || row.verdict);
  }

  function refresh(figure, state) {
    const details = figure.querySelector("details.behind");
    const holder = details.querySelector(".scroll");
    const fill = () => {
      if (details.open) holder.replaceChildren(made(state.payload, shown(state)));
    };
    details.ontoggle = fill;
    fill();
  }

  function csv(state) {
    const quoted = (value) => {
      const plain = value === null || value === undefined ? "" : String(value);
      const runs = typeof value === "string" && /^[=+\-@\t\r]/.test(value) && !/^[+-]?\d+(\.\d+)?$/.test(value);
      const text = runs ? `'${plain}` : plain; // stops a spreadsheet running it as a formula; numbers are safe
      return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
    };
    const { columns, source } = state.payload;
    const lines = [columns.map((column) => quoted(column.title)), ...shown(state).map((row) => columns.map((column) => quoted(row[column.field])))];
    return `\ufeff${lines.map((line) => line.join(",")).join("\r\n")}\r\n${quoted(`Source: ${source}`)}\r\n`;
  }

  function hand(url, name) {
    const link = document.createElement("a");
    link.href = url;
    link.download = name;
    link.click();
  }

  async function save(figure, kind) {
    const held = IG.charts.state(figure);
    const state = held.rows ? held : await IG.charts.draw(figure);
    const name = `${state.payload.file}.${kind}`;
    if (kind === "csv") {
      hand(URL.createObjectURL(new Blob([csv(state)], { type: "text/csv;charset=utf-8" })), name);
      return;
    }
    const view = await IG.charts.forSaving(figure);
    if (kind === "svg") {
      hand(URL.createObjectURL(new Blob([await view.toSVG()], { type: "image/svg+xml" })), name);
    } else {
      const canvas = await view.toCanvas(2);
      hand(canvas.toDataURL("image/png"), name);
    }
    view.finalize();
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-save]");
    if (button) save(button.closest("figure"), button.dataset.save);
  });

  return { refresh };
})();
