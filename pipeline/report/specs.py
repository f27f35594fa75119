"""The charts' Vega-Lite, written with Altair and compiled to Vega for the pages to fill with data.

A string `token:name` stands for a colour of the style sheet, and `text:name` for a word of the page. `charts.js` fills
them in when it draws, so one specification serves light, dark and print, and every place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

import altair as alt
import vl_convert

LABEL_TOKENS: Final = ("both", "growth-only", "sharing-only", "neither", "unclear", "unknown")
LABEL_SHAPES: Final = ("circle", "square", "diamond", "triangle-up", "circle", "circle")
_Layered = alt.LayerChart | alt.FacetChart  # what layering returns in Altair
SERIES_TOKENS: Final = ("series-1", "series-2", "series-3", "series-4", "series-5", "muted")
CLASSES: Final = 5
# A hexagon with a corner at the top, in the square from -1 to 1 in which Vega draws symbols.
HEXAGON: Final = "M0,-1L0.866,-0.5L0.866,0.5L0,1L-0.866,0.5L-0.866,-0.5Z"

_FONT: Final = "'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
_WIDTH, _HEIGHT = 640, 380
_CONFIG: Final[Mapping[str, Any]] = {
    "font": _FONT,
    "background": "transparent",
    "view": {"stroke": None},
    "axis": {
        "domainColor": "token:axis",
        "gridColor": "token:grid",
        "tickColor": "token:axis",
        "labelColor": "token:muted-ink",
        "titleColor": "token:muted-ink",
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "labelPadding": 5,
        "titlePadding": 8,
    },
    "legend": {
        "orient": "top",
        "direction": "horizontal",
        "columns": 3,
        "title": None,
        "labelColor": "token:ink",
        "labelFontSize": 12,
        "labelLimit": 380,
        "offset": 30,
        "symbolSize": 110,
        "symbolOpacity": 1,
        "symbolStrokeWidth": 2,
    },
    "text": {"font": _FONT, "color": "token:ink", "fontSize": 12},
    "title": {"anchor": "start", "color": "token:ink", "subtitleColor": "token:muted-ink", "fontSize": 16},
}


def compiled_specs() -> dict[str, dict[str, Any]]:
    """Every chart by name as a Vega specification, its data sets named and empty."""
    specs = {
        "quadrant": _quadrant(),
        "beeswarm": _beeswarm(),
        "caterpillar": _caterpillar(),
        "trend": _lines("year", "Year", SERIES_TOKENS[0], "muted", "series-3"),
        "lines": _lines("year", "Year", *SERIES_TOKENS),
        "incidence": _lines("percentile", "Percentile of residents’ pay", SERIES_TOKENS[0], "muted", "series-3"),
        "ranges": _ranges(),
        "growths": _ranges(middle=0, domain=None),
        "contributions": _contributions(),
        "cartogram": _cartogram(),
    }
    return {name: vl_convert.vegalite_to_vega(chart.configure(**_CONFIG).to_dict()) for name, chart in specs.items()}


def engine() -> str:
    """Vega's own JavaScript, bundled by vl-convert into one script that sets `window.vegaEmbed`."""
    return str(vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;"))


def _points(name: str = "points") -> alt.Chart:
    return alt.Chart(alt.NamedData(name))


def _tokens(names: Sequence[str]) -> list[str]:
    return [f"token:{name}" for name in names]


def _words(names: Sequence[str]) -> list[str]:
    return [f"text:{name}" for name in names]


def _axis(**options: Any) -> alt.Axis:
    return alt.Axis(**{"tickCount": 6, "domain": False, "ticks": False} | options)


def _upright(title: str, **options: Any) -> alt.Axis:
    """A vertical axis with its title horizontal above it, where it is easy to read."""
    flat = {"titleAngle": 0, "titleAlign": "left", "titleAnchor": "end", "titleX": -34, "titleY": -14}
    return _axis(title=title, **flat | options)


def _called(
    chosen: alt.Chart, *, dy: int = -14, align: Literal["left", "center", "right"] = "center", **place: Any
) -> tuple[alt.Chart, alt.Chart]:
    """A place's name beside its mark, on a halo in the page's colour so that it stays readable."""
    words: dict[str, Any] = {"dy": dy, "align": align, "fontWeight": "bold", "fontSize": 13}
    if align != "center":
        words["dx"] = 10 if align == "left" else -10
    halo = chosen.mark_text(stroke="token:page", strokeWidth=4, strokeJoin="round", **words)
    return halo.encode(**place, text="name:N"), chosen.mark_text(**words).encode(**place, text="name:N")


_SMALL_IF_NARROW: Final = alt.ExprRef("width < 400 ? 10 : 12")
_UNLESS_NARROW: Final = alt.ExprRef("width < 400 ? 0 : 1")  # phones have no room for further names
# Names start at their mark in the left half of a chart and end there in the right half.
_INWARDS: Final[tuple[tuple[str, Literal["left", "right"], int], ...]] = (("< 50", "left", -4), (">= 50", "right", 4))
_CALLED_INWARDS: Final[tuple[tuple[str, Literal["left", "center", "right"]], ...]] = (
    ("< 25", "left"),
    (">= 25 && datum.x <= 75", "center"),
    ("> 75", "right"),
)
_CHOSEN: Final = "datum.code === chosen || datum.code === hovered"


def _params() -> list[alt.Parameter]:
    return [alt.param(name="chosen", value=""), alt.param(name="hovered", value="")]


def _quadrant() -> _Layered:
    """Growth across, sharing up; 50 is the typical district.

    Intervals are drawn for the chosen place. If none is chosen, an example interval (`middling`) is drawn in a corner.
    Places whose code is in `named` are labelled.
    """
    field = _points()
    scale = alt.Scale(domain=[0, 100], nice=False)
    x = alt.X("x:Q", scale=scale, axis=_axis(title="text:x_title", tickCount=5))
    y = alt.Y("y:Q", scale=scale, axis=_upright("text:y_title", tickCount=5))
    classes = _words(("c1", "c2", "c3", "c4", "c5", "c6"))
    middle = alt.Chart(alt.InlineData([{"at": 50}]))
    corners = [
        {"x": 99, "y": 98, "name": "text:corner_both", "side": "right"},
        {"x": 99, "y": 2, "name": "text:corner_growth", "side": "right"},
        {"x": 1, "y": 98, "name": "text:corner_sharing", "side": "left"},
        {"x": 1, "y": 2, "name": "text:corner_neither", "side": "left"},
    ]
    cornered = [
        alt.Chart(alt.InlineData([corner for corner in corners if corner["side"] == side]))
        .mark_text(align=side, color="token:muted-ink", fontStyle="italic", fontSize=_SMALL_IF_NARROW)
        .encode(x="x:Q", y="y:Q", text="name:N")
        for side in ("left", "right")
    ]
    chosen = field.transform_filter(_CHOSEN).transform_calculate(top="isValid(datum.y_upper) ? datum.y_upper : datum.y")
    # Names run towards the middle of the chart, so that none is cut off at its edge.
    named = [
        field.transform_filter(f"indexof(named, datum.code) >= 0 && datum.x {side}")
        .mark_text(align=align, dx=dx, dy=-11, opacity=_UNLESS_NARROW, stroke=stroke, strokeWidth=3, fill=fill)
        .encode(x="x:Q", y="y:Q", text="name:N")
        for side, align, dx in _INWARDS
        for stroke, fill in (("token:page", "token:page"), ("transparent", "token:ink"))
    ]
    middling = _points("middling")
    pattern = [
        middling.mark_rule(color="token:muted-ink", strokeWidth=1.5).encode(x="x_lower:Q", x2="x_upper:Q", y="y:Q"),
        middling.mark_rule(color="token:muted-ink", strokeWidth=1.5).encode(y="y_lower:Q", y2="y_upper:Q", x="x:Q"),
        middling.mark_text(align="right", dx=-6, color="token:muted-ink", fontSize=_SMALL_IF_NARROW)
        .encode(x="x_lower:Q", y="y:Q", text="name:N"),
    ]  # fmt: skip
    marks = field.mark_point(filled=True, size=64, opacity=0.85, strokeWidth=0.8).encode(
        x=x,
        y=y,
        color=alt.Color("class:N", scale=alt.Scale(domain=classes, range=_tokens(LABEL_TOKENS)), legend=alt.Legend()),
        shape=alt.Shape("class:N", scale=alt.Scale(domain=classes, range=list(LABEL_SHAPES)), legend=alt.Legend()),
        stroke=alt.value("token:page"),
    )
    return alt.layer(
        middle.mark_rule(color="token:axis").encode(x="at:Q"),
        middle.mark_rule(color="token:axis").encode(y="at:Q"),
        *cornered,
        marks.properties(name="dots"),
        *pattern,
        *named,
        chosen.mark_rule(color="token:ink", strokeWidth=2).encode(x="x_lower:Q", x2="x_upper:Q", y="y:Q"),
        chosen.mark_rule(color="token:ink", strokeWidth=2).encode(y="y_lower:Q", y2="y_upper:Q", x="x:Q"),
        chosen.mark_point(size=110, filled=True, color="token:accent", stroke="token:page", opacity=1).encode(x=x, y=y),
        *(mark for where, align in _CALLED_INWARDS
          for mark in _called(chosen.transform_filter(f"datum.x {where}"), x="x:Q", y="top:Q", dy=-10, align=align)),
    ).properties(width=_WIDTH, height=460).add_params(*_params(), alt.param(name="named", value=[]))  # fmt: skip


def _beeswarm() -> _Layered:
    """A dot for every district along the figure; `charts.js` sets `offset` in pixels so that dots do not overlap."""
    field = _points()
    x = alt.X("value:Q", scale=alt.Scale(zero=False, nice=True), axis=_axis(title="text:x_title", grid=True))
    y = alt.Y("offset:Q", scale=alt.Scale(domain=[-90, 90], nice=False), axis=None)
    chosen = field.transform_filter(_CHOSEN)
    typical = _points("typical")
    return alt.layer(
        typical.mark_rule(color="token:ink", strokeDash=[4, 3]).encode(x="value:Q"),
        typical.mark_text(dy=-8, baseline="bottom", color="token:muted-ink").encode(
            x="value:Q", y=alt.value(0), text="name:N"
        ),
        field.mark_point(filled=True, size=34, color="token:series-1", opacity=0.75).encode(x=x, y=y).properties(name="dots"),
        chosen.mark_rule(color="token:ink", strokeWidth=2).encode(x="lower:Q", x2="upper:Q", y=y),
        chosen.mark_point(filled=True, size=110, color="token:accent", opacity=1, stroke="token:page").encode(x=x, y=y),
        *_called(chosen, x=x, y=y),
    ).properties(width=_WIDTH, height=200).add_params(*_params())  # fmt: skip


def _caterpillar() -> _Layered:
    """All districts in the order of their estimates, each with its interval, to show how wide the intervals are."""
    field = _points()
    x = alt.X("order:Q", scale=alt.Scale(nice=False, zero=False), axis=_axis(title="text:x_title", grid=False))
    y = alt.Y(
        "value:Q",
        scale=alt.Scale(zero=False, nice=False, reverse=alt.ExprRef("best_on_top")),
        axis=_upright("text:y_title"),
    )
    chosen = field.transform_filter(_CHOSEN)
    return alt.layer(
        field.mark_rule(color="token:interval", strokeWidth=1.4).encode(x=x, y=alt.Y("lower:Q", axis=y["axis"]), y2="upper:Q"),
        field.mark_point(filled=True, size=9, color="token:series-1", opacity=1).encode(x=x, y=y).properties(name="dots"),
        chosen.mark_rule(color="token:accent", strokeWidth=4).encode(x=x, y=alt.Y("lower:Q", axis=y["axis"]), y2="upper:Q"),
        chosen.mark_point(filled=True, size=80, color="token:accent", opacity=1, stroke="token:page").encode(x=x, y=y),
        *_called(chosen.transform_filter("datum.order <= datum.of / 2"), x=x, y=y, dy=-6, align="left"),
        *_called(chosen.transform_filter("datum.order > datum.of / 2"), x=x, y=y, dy=6, align="right"),
    ).properties(width=_WIDTH, height=320).add_params(*_params(), alt.param(name="best_on_top", value=False))  # fmt: skip


def _lines(x_field: str, x_title: str, *tokens: str) -> _Layered:
    """Series over `x_field`, named in order `text:a`, `text:b` …; with a ribbon if the series has an interval.

    A line and its ribbon stay within a `part`. A rule from `breaks` separates two parts, where a method changed.
    """
    names = _words("abcdef"[: len(tokens)])
    dashes = [[6, 4] if token == "muted" else [1, 0] for token in tokens]  # noqa: S105 the name of a colour
    legend = alt.Legend(symbolType="stroke", symbolStrokeWidth=3, symbolSize=300)
    colour = alt.Color("series:N", scale=alt.Scale(domain=names, range=_tokens(tokens)), legend=legend)
    dash = alt.StrokeDash("series:N", scale=alt.Scale(domain=names, range=dashes), legend=legend)
    x = alt.X(
        f"{x_field}:Q",
        scale=alt.Scale(zero=False, nice=False, padding=8),
        axis=_axis(
            title=None if x_field == "year" else x_title,
            format="d",
            tickMinStep=1,
            grid=False,
            labelOverlap=True,
            labelSeparation=6,
        ),
    )
    y = alt.Y("value:Q", scale=alt.Scale(zero=False), axis=_upright("text:y_title", tickCount=5))
    field, part = _points(), alt.Detail("part:N")
    return alt.layer(
        *_breaks(x_field),
        field.mark_area(opacity=0.2).encode(
            x=x, y=alt.Y("lower:Q", axis=y["axis"]), y2="upper:Q", color=colour, detail=part
        ),
        field.transform_filter("datum.alone")
        .mark_rule(opacity=0.45, strokeWidth=2)
        .encode(x=x, y=alt.Y("lower:Q", axis=y["axis"]), y2="upper:Q", color=colour),
        field.mark_line(strokeWidth=2.4).encode(x=x, y=y, color=colour, strokeDash=dash, detail=part),
        field.mark_point(filled=True, size=26, opacity=1).encode(x=x, y=y, color=colour).properties(name="dots"),
    ).properties(width=_WIDTH, height=260)


def _breaks(x_field: str) -> list[alt.Chart]:
    """A thin broken rule where a method changed, labelled beside its upper end on the side with room.

    Labels of several changes are stacked, so that none covers another.
    """
    breaks = _points("breaks")
    words: dict[str, Any] = {"baseline": "top", "fontStyle": "italic", "fontSize": _SMALL_IF_NARROW}
    places: tuple[tuple[str, Literal["left", "right"], int], ...] = (("left", "left", 5), ("right", "right", -5))
    return [
        breaks.mark_rule(color="token:muted-ink", strokeWidth=1, strokeDash=[2, 3]).encode(x=f"{x_field}:Q"),
        *(
            breaks.transform_filter(f"datum.side === '{side}'")
            .mark_text(align=align, dx=dx, dy=alt.ExprRef("15 * datum.row"), color="token:muted-ink", **words)
            .encode(x=f"{x_field}:Q", y=alt.value(0), text="name:N")
            for side, align, dx in places
        ),
    ]


def _ranges(middle: float = 50, domain: tuple[float, float] | None = (0, 100)) -> _Layered:
    """One row a name, one mark a series with its 90% interval, over a band of the middle 80% of districts if given."""
    names = _words("abcdef"[:3])
    y = alt.Y("name:N", sort=None, title=None, axis=alt.Axis(domain=False, ticks=False, labelLimit=380, grid=False))
    y_offset = alt.YOffset("series:N", scale=alt.Scale(type="point", domain=names, padding=0.5))
    scale = alt.Scale(zero=True) if domain is None else alt.Scale(domain=list(domain), nice=False)
    x = alt.X("value:Q", scale=scale, axis=_axis(title="text:x_title", tickCount=5, labelOverlap=True))
    colour = alt.Color(
        "series:N",
        scale=alt.Scale(domain=names, range=_tokens(("series-1", "series-3", "series-2"))),
        legend=alt.Legend(),
    )
    shape = alt.Shape(
        "series:N", scale=alt.Scale(domain=names, range=["circle", "diamond", "square"]), legend=alt.Legend()
    )
    field = _points()
    return alt.layer(
        _points("field")
        .mark_bar(color="token:field", height=alt.ExprRef("0.9 * bandwidth('y')"))
        .encode(y=y, x=alt.X("low:Q"), x2="high:Q"),
        alt.Chart(alt.InlineData([{"at": middle}])).mark_rule(color="token:axis", strokeWidth=1.5).encode(x="at:Q"),
        field.mark_rule(strokeWidth=3, opacity=0.55).encode(
            x=alt.X("lower:Q", axis=x["axis"]), x2="upper:Q", y=y, yOffset=y_offset, color=colour
        ),
        field.mark_point(filled=True, size=75, opacity=1)
        .encode(x=x, y=y, yOffset=y_offset, color=colour, shape=shape)
        .properties(name="dots"),
    ).properties(width=_WIDTH, height=300)


def _contributions() -> _Layered:
    """The points that each part adds to the score above it: bars to the right add, bars to the left take off."""
    field = _points()
    x = alt.X(
        "value:Q",
        axis=_axis(
            title="text:x_title",
            labelExpr="format(datum.value, '+') == '+0' ? '0' : format(datum.value, '+')",
            tickCount=5,
        ),
    )
    y = alt.Y("name:N", sort=None, title=None, axis=alt.Axis(domain=False, ticks=False, labelLimit=380, grid=False))
    sign = alt.condition("datum.value >= 0", alt.value("token:positive"), alt.value("token:negative"))
    return alt.layer(
        field.mark_bar(height={"band": 0.6}).encode(x=x, y=y, color=sign).properties(name="dots"),
        alt.Chart(alt.InlineData([{"at": 0}])).mark_rule(color="token:ink").encode(x="at:Q"),
    ).properties(width=_WIDTH, height=200)


def _cartogram() -> _Layered:
    """A mark for every district: a hexagon, or its boundary, from the row's `path` in or about the square from -1 to 1.

    The page sets `hexagon` (a mark's size in square pixels) from its width. A district that is not clearly different is
    a smaller hexagon in the full colour of its class, or a paler outline: see `unsure_size` and `unsure_opacity`.
    """
    field = _points()
    place = {
        "x": alt.X("x:Q", axis=None, scale=alt.Scale(nice=False, zero=False, padding=14)),
        "y": alt.Y("y:Q", axis=None, scale=alt.Scale(nice=False, zero=False, reverse=True, padding=14)),
    }
    shape = alt.Shape("path:N", scale=None, legend=None)
    colours = [f"token:class-{i}" for i in range(CLASSES)]
    colour = alt.Color(
        "class:O",
        scale=alt.Scale(domain=[*range(CLASSES), -1], range=[*colours, "token:no-figure"]),
        legend=alt.Legend(
            labelExpr="labels[datum.value + 1]",
            symbolType=HEXAGON,
            symbolSize=260,
            symbolStrokeWidth=0.7,
            symbolStrokeColor="token:axis",
        ),
    )
    marks = field.mark_point(filled=True, stroke="token:axis", strokeWidth=0.5).encode(
        **place,
        shape=shape,
        color=colour,
        size=alt.condition(
            "datum.unsure", alt.value(alt.ExprRef("unsure_size * hexagon")), alt.value(alt.ExprRef("hexagon"))
        ),
        opacity=alt.condition("datum.unsure", alt.value(alt.ExprRef("unsure_opacity")), alt.value(1)),
    )
    chosen = (
        field.transform_filter(_CHOSEN)
        .mark_point(filled=False, size=alt.ExprRef("hexagon"), stroke="token:ink", strokeWidth=2.5, opacity=1)
        .encode(**place, shape=shape)
    )
    borders = (
        _points("borders")
        .mark_rule(color="token:ink", strokeWidth=1.4, strokeCap="round")
        .encode(**place, x2="x2:Q", y2="y2:Q")
    )
    unsure = [alt.param(name="unsure_size", value=0.36), alt.param(name="unsure_opacity", value=1)]
    settings = [*unsure, alt.param(name="hexagon", value=600), alt.param(name="labels", value=[""] * (CLASSES + 1))]
    return (
        alt.layer(marks.properties(name="dots"), borders, chosen)
        .properties(width=_WIDTH, height=820)
        .add_params(*_params(), *settings)
    )
