// Light or dark: the reader's choice if made, else the system's. Runs before the page is painted.
"use strict";

(() => {
  const page = document.documentElement;
  const system = window.matchMedia("(prefers-color-scheme: dark)");

  function stored() {
    try {
      return localStorage.getItem("theme");
    } catch {
      return null; // browsers may refuse storage to pages opened from a disk
    }
  }

  function apply(choice) {
    page.dataset.theme = choice ?? (system.matches ? "dark" : "light");
    const button = document.getElementById("theme");
    if (button) button.setAttribute("aria-pressed", String(page.dataset.theme === "dark"));
    document.dispatchEvent(new Event("themechange"));
  }

  apply(stored());
  system.addEventListener("change", () => apply(stored()));
  document.addEventListener("DOMContentLoaded", () => {
    apply(stored());
    document.getElementById("theme").addEventListener("click", () => {
      const chosen = page.dataset.theme === "dark" ? "light" : "dark";
      try {
        localStorage.setItem("theme", chosen);
      } catch {
        // not kept, but applied
      }
      apply(chosen);
    });
  });
})();
