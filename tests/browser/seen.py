"""What can be seen of a drawn chart: where its marks stand, read against the labels of its axes as a person reads them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from playwright.sync_api import Page

# Of one figure: its labels across and down, its legend, its marks, lines and the rules at which lines break, all in
# pixels of the window. Labels at either end of the axis across are pushed inwards: the lines of the grid say where they
# belong, and without a grid they are left out.
_LOOK = r"""(figure) => {
    const box = (element) => {
        const { left, right, top, bottom } = element.getBoundingClientRect();
        return { left, right, top, bottom, x: (left + right) / 2, y: (top + bottom) / 2 };
    };
    const said = (element) => [...element.childNodes].map((part) => part.textContent).join(" ").trim();
    const isShown = (element) => getComputedStyle(element).opacity !== "0" && element.getAttribute("opacity") !== "0";
    const frame = box(figure.querySelector(".plot svg .root > g > path.background"));
    const labels = [...figure.querySelectorAll(".role-axis-label text")].map((label) => ({ said: said(label), isShown: isShown(label), ...box(label) }));
    const under = labels.filter((label) => label.top > frame.bottom - 2);
    const upright = [...figure.querySelectorAll(".role-axis-grid line")].map(box).filter((line) => line.bottom - line.top > line.right - line.left);
    const across = under.length === upright.length ? under.map((label, i) => ({ ...label, x: upright[i].x })) : under.slice(1, -1);
    const colours = [...figure.querySelectorAll(".role-legend-symbol path")].map((path) => path.getAttribute("fill"));
    const names = [...figure.querySelectorAll(".role-legend-label text")].map(said);
    const dots = [...figure.querySelectorAll(".dots_marks path")];
    return {
        spec: JSON.parse(figure.querySelector("script.payload").textContent).spec,
        across: across.filter((label) => label.isShown && label.said),
        down: labels.filter((label) => label.top <= frame.bottom - 2 && label.isShown && label.said),
        legend: Object.fromEntries(names.map((name, i) => [colours[i], name])),
        marks: dots.map((path) => ({ row: path.__data__.datum, fill: path.getAttribute("fill"), ...box(path) })),
        frame,
        lines: [...figure.querySelectorAll(".mark-line path, .mark-area path")].filter((path) => path.getAttribute("d")).map(box),
        breaks: [...figure.querySelectorAll(".mark-rule line[stroke-dasharray='2,3']")].map(box),
        words: [...figure.querySelectorAll(".mark-text.role-mark text")].map((text) => ({ said: said(text), ...box(text) })),
    };
}"""


@dataclass(frozen=True)
class Seen:
    """One drawn chart. Boxes hold ``left``, ``right``, ``top``, ``bottom`` and their middle ``x``, ``y`` in pixels."""

    spec: str
    across: list[dict[str, Any]]
    down: list[dict[str, Any]]
    legend: dict[str, str]
    marks: list[dict[str, Any]]
    frame: dict[str, float]
    lines: list[dict[str, float]]
    breaks: list[dict[str, float]]
    words: list[dict[str, Any]]

    def row_at(self, y: float) -> str:
        """The name whose label stands at a height, without blanks; empty where a mark stands in no label's row."""
        ordered = sorted(label["y"] for label in self.down)
        pitch = min((b - a for a, b in pairwise(ordered)), default=40.0)
        nearest = min(self.down, key=lambda label: abs(label["y"] - y))
        return "".join(nearest["said"].split()) if abs(nearest["y"] - y) < pitch / 2 else ""

    def number_across(self, x: float) -> float:
        return _number(self.across, "x", x)

    def number_down(self, y: float) -> float:
        return _number(self.down, "y", y)

    @property
    def step_across(self) -> float:
        """What one pixel stands for across."""
        return abs(self.number_across(1) - self.number_across(0))

    @property
    def step_down(self) -> float:
        return abs(self.number_down(1) - self.number_down(0))


def seen(page: Page, selector: str) -> Seen:
    """The one chart that a CSS selector finds, as it is drawn now."""
    return Seen(**page.locator(selector).evaluate(_LOOK))


def charts_of(page: Page) -> dict[str, Seen]:
    """Every drawn chart of a page by its id."""
    ids = page.evaluate("[...document.querySelectorAll('figure.chart[data-drawn=yes]')].map((figure) => figure.id)")
    return {name: seen(page, f"[id='{name}']") for name in ids}


def _number(labels: list[dict[str, Any]], axis: str, at: float) -> float:
    """What stands at a pixel of an axis, between and beyond its outermost labels."""
    first, last = labels[0], labels[-1]
    low, high = (
        float("".join(c for c in end["said"].replace("−", "-") if c in "-.0123456789")) for end in (first, last)
    )
    return low + (high - low) * (at - first[axis]) / (last[axis] - first[axis])
