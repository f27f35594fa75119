// The finding of the day: a different one each day of the reader's calendar, from those in the page.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const place = document.getElementById("finding-of-the-day");
  if (!place) return;
  const findings = JSON.parse(document.getElementById("findings").textContent);
  const now = new Date();
  const day = Math.floor(Date.UTC(now.getFullYear(), now.getMonth(), now.getDate()) / 86_400_000);
  place.textContent = findings[day % findings.length];
});
