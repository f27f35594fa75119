"""The plot of how cost grows, as an SVG that carries its own background, light or dark as the reader's screen is set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair
import pandas as pd
import vl_convert

PANEL = 190
SCORES, MART = "#0b6bcb", "#c2570c"
# On the dark background the same hues, lighter; text and grid likewise.
DARK = {
    SCORES: "#6cb2ff",
    MART: "#ff9e5e",
    "#ffffff": "#161b22",
    "#24292f": "#e6edf3",
    "#d0d7de": "#3d444d",
    "#57606a": "#9ea7b3",
}


def growth_svg(curves: Sequence[dict[str, Any]]) -> str:
    """One panel for each thing that grows; both axes logarithmic, a dashed line where cost would be linear."""
    along = list(dict.fromkeys(curve["along"] for curve in curves))
    panels = [_panel([curve for curve in curves if curve["along"] == name], name) for name in along]
    chart = altair.hconcat(*panels, spacing=18).resolve_scale(y="shared").configure(background="#ffffff")
    chart = chart.configure_axis(
        labelColor="#24292f", titleColor="#24292f", gridColor="#d0d7de", domainColor="#57606a", tickColor="#57606a"
    ).configure_legend(labelColor="#24292f", titleColor="#24292f", orient="bottom", labelLimit=400)
    svg = vl_convert.vegalite_to_svg(chart.to_json())
    rules = "".join(
        f'[{kind}="{light}"]{{{kind}:{dark}}}' for light, dark in DARK.items() for kind in ("fill", "stroke")
    )
    head, mark, rest = svg.partition(">")
    return f"{head}{mark}<style>@media (prefers-color-scheme: dark){{{rules}}}</style>{rest}\n"


def _panel(curves: Sequence[dict[str, Any]], along: str) -> altair.LayerChart:
    rows = pd.DataFrame(
        [
            {"size": size, "seconds": seconds, "what": "scores" if curve["id"].startswith("score") else "raw to mart"}
            for curve in curves
            for size, seconds in zip(curve["sizes"], curve["cpu_seconds"], strict=True)
        ]
    )
    linear = pd.DataFrame(
        [
            {"size": size, "seconds": curve["cpu_seconds"][-1] * size / curve["sizes"][-1], "what": curve["id"]}
            for curve in curves
            for size in (curve["sizes"][0], curve["sizes"][-1])
        ]
    )
    sizes = sorted({size for curve in curves for size in curve["sizes"]})
    x = altair.X(
        "size:Q",
        title=along,
        scale=altair.Scale(type="log", domain=[sizes[0] * 0.85, sizes[-1] * 1.2], nice=False),
        axis=altair.Axis(values=sizes, format=",", labelOverlap=True, grid=False),
    )
    y = altair.Y(
        "seconds:Q",
        title="seconds of processor time",
        scale=altair.Scale(type="log"),
        axis=altair.Axis(values=[0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30], format="~g"),
    )
    colour = altair.Color(
        "what:N", title=None, scale=altair.Scale(domain=["scores", "raw to mart"], range=[SCORES, MART])
    )
    reference = altair.Chart(linear).mark_line(strokeDash=[4, 4], color="#57606a", strokeWidth=1)
    drawn = altair.Chart(rows).mark_line(point=altair.OverlayMarkDef(size=45, filled=True), strokeWidth=2)
    return (reference.encode(x=x, y=y, detail="what:N") + drawn.encode(x=x, y=y, color=colour)).properties(
        width=PANEL, height=PANEL
    )
