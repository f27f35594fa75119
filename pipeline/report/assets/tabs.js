// Buttons that show one of several parts of a page, following the tabs pattern of the ARIA Authoring Practices Guide.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  for (const list of document.querySelectorAll("[role=tablist]")) {
    const tabs = [...list.querySelectorAll("[role=tab]")];
    const show = (tab) => {
      for (const other of tabs) {
        const panel = document.getElementById(other.getAttribute("aria-controls"));
        other.setAttribute("aria-selected", String(other === tab));
        other.tabIndex = other === tab ? 0 : -1;
        panel.hidden = other !== tab;
      }
    };
    tabs.forEach((tab, i) => {
      tab.addEventListener("click", () => show(tab));
      tab.addEventListener("keydown", (event) => {
        const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        if (!step) return;
        const other = tabs[(i + step + tabs.length) % tabs.length];
        show(other);
        other.focus();
      });
    });
  }
});
