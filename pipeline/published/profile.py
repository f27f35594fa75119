"""An area's profile in plain text, read from the published file alone."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import duckdb

from pipeline.published import wording, words
from pipeline.published.figures import LatestFigure, latest_figures
from pipeline.published.residents_and_output import lines as pass_through_lines
from pipeline.published.residents_and_output import side_by_side
from pipeline.published.scores import CHANGE, CHANGE_WINDOW_YEARS, DEFAULT_FRAMEWORK, LEVEL, Score, latest_scores
from pipeline.reading import published

ENOUGH_DRAWS: Final = 2000
LINE_WIDTH: Final = 110
END_ERROR: Final = (
    1.28  # standard error of a normal 5% quantile of n draws, in half-widths of the interval, times root n
)
_TITLE_WIDTH, _FIGURE_WIDTH = 50, 58

_AREA = """
select area_code, area_name, level, region_name, nation_name, combined_authority_name, is_scored
from dim_area
where area_code = ?
"""
_FIND = """
select area_code
from dim_area
where area_code = upper(replace(?, ' ', '')) or lower(area_name) = lower(trim(?)) or area_code = lower(trim(?))
"""
_DRAWS = "select draw_count from meta_run"
# Two kinds of reason: this area lacks a figure, or nobody has one. The second is about the year, so it is in mart_gate.
_NOT_SCORED = """
select node.title, not_scored.reason, node.position
from mart_not_scored as not_scored
inner join dim_node as node using (framework_id, node_id)
where
    not_scored.area_code = $area
    and not_scored.framework_id = $framework
    and not_scored.flavour = $flavour
    and not_scored.window_years = $window
    and not_scored.year = $year
union all
select node.title, gate.reason, node.position
from mart_gate as gate
inner join dim_node as node on gate.framework_id = node.framework_id and gate.indicator_id = node.node_id
where
    gate.framework_id = $framework
    and gate.flavour = $flavour
    and gate.window_years = $window
    and gate.year = $year
    and not gate.is_scored
    and gate.reliability_deciding is null
order by 3, 2
"""
_WITHOUT_FIGURES = """
select title
from dim_indicator
where observation_count > 0 and indicator_id not in (select indicator_id from latest_figure where area_code = ?)
order by theme, title
"""


def find_published(database: Path, text: str) -> str | None:
    """The code of the one area with this code or name, in any case. None if no area matches, or more than one.

    Raises CannotRead when the file cannot be read.
    """
    with published(database) as connection:
        found = connection.execute(_FIND, [text, text, text]).fetchall()
    return str(found[0][0]) if len(found) == 1 else None


def profile_text(database: Path, area_code: str) -> str:
    """The profile of one area as text for a terminal.

    Raises CannotRead when the file cannot be read.
    """
    with published(database) as connection:
        return profile_of(connection, area_code)


def profile_of(connection: duckdb.DuckDBPyConnection, area_code: str) -> str:
    """As `profile_text`, on an open connection."""
    area = connection.execute(_AREA, [area_code]).fetchone()
    if area is None:
        return f"{area_code} is not an area of the published file."
    _, name, level, region, nation, combined_authority, is_scored = area
    places = [place for place in dict.fromkeys((combined_authority, region, nation)) if place and place != name]
    lines = [f"{name} ({area_code})", ", ".join([level.replace("_", " "), *places]), ""]
    if level == "district" and not is_scored:
        lines += ["Shown, not scored: too few people live here for most surveys to say anything.", ""]
    else:
        scores = {f: latest_scores(connection, f, area_code=area_code) for f in (LEVEL, CHANGE)}
        if said := wording.in_short(scores[LEVEL], scores[CHANGE], CHANGE_WINDOW_YEARS):
            lines += [*textwrap.wrap(f"In short: {said}", LINE_WIDTH), ""]
        for flavour, nodes in scores.items():
            lines += [*_scores(connection, area_code, flavour, nodes, is_district=level == "district"), ""]
    if beside := pass_through_lines(side_by_side(connection, area_code)):
        lines += [*beside, ""]
    return "\n".join(
        [
            *lines,
            "Latest figures, and those of the typical district (its median) in the same year",
            *_figures(connection, area_code),
        ]
    )


def _heading(flavour: str, year: int) -> str:
    scale = "scores from 0 to 100, 50 is the typical district"
    if flavour == LEVEL:
        return f"Where it stands in {year} ({scale})"
    return f"Where it has been heading, {year - CHANGE_WINDOW_YEARS + 1} to {year} (the same scale)"


def _scores(
    connection: duckdb.DuckDBPyConnection, area_code: str, flavour: str, nodes: Sequence[Score], *, is_district: bool
) -> list[str]:
    if not nodes:
        return [f"No scores of the {flavour} are in the published file."]
    year = nodes[0].year
    width = max(_TITLE_WIDTH, *(len(_indented(node)) + 1 for node in nodes))
    header = f"  {'':<{width}}{'score':>5}  {'90% interval':>13}  {'contribution':>12}  {'verdict':<14}"
    lines = [_heading(flavour, year), (header + ("  rank (90% interval)" if is_district else "")).rstrip()]
    lines += [_node_line(node, width, is_district) for node in nodes]
    if any(node.points_added is not None for node in nodes):
        lines.append("  contribution: points added to, or taken from, the score above, relative to 50")
    lines.append("  verdict: whether the score is above or below the typical district's (clearly: 95% sure or more;")
    lines.append("    probably: 75% or more); not known where the error of more than half of the weight is not known")
    if any(node.is_at_an_end for node in nodes):
        lines.append("  0 and 100 are the ends of the scale: that far from the typical district, or further")
    if any(node.lower is not None for node in nodes):
        lines += _draws_words(connection.execute(_DRAWS).fetchone())
    if any(node.has_partial_error for node in nodes):
        lines.append("  * based in part on figures without a known error: the true interval is wider")
    if lacking := next((said for node in nodes if (said := wording.not_comparable(node))), None):
        lines.append(f"  {words.capital(lacking)}")
    lines += _strongest_and_weakest(nodes)
    place = {
        "area": area_code,
        "framework": DEFAULT_FRAMEWORK,
        "flavour": flavour,
        "window": 0 if flavour == LEVEL else CHANGE_WINDOW_YEARS,
        "year": year,
    }
    return lines + _not_scored(connection, place)


def _draws_words(row: tuple[int] | None) -> list[str]:
    """How much the interval would move with other draws; nothing if there are enough draws not to matter."""
    draws = row[0] if row else 0
    if not draws or draws >= ENOUGH_DRAWS:
        return []
    share = END_ERROR / math.sqrt(draws)
    return [f"  intervals are from {draws} draws: other draws move an end by some {share:.0%} of the half-width"]


def _indented(node: Score) -> str:
    return "  " * node.depth + node.title


def _node_line(node: Score, width: int, is_district: bool) -> str:
    points = "" if node.points_added is None else f"{round(node.points_added):+d}" if round(node.points_added) else "0"
    between = wording.interval(node)
    interval = "not known" if between is None else between + ("*" if node.has_partial_error else " ")
    line = f"  {_indented(node):<{width}}{node.score:>5.0f}  {interval:>13}  {points:>12}  {node.verdict:<14}"
    if is_district:
        line += f"  {wording.rank(node)}"
    note = "; based on an earlier year" if node.is_carried_forward and node.node_kind == "pillar" else ""
    return line.rstrip() + note


def _strongest_and_weakest(nodes: Sequence[Score]) -> list[str]:
    """The pillars with the highest and lowest scores, and what each adds to or takes from its domain."""
    pillars = [node for node in nodes if node.node_kind == "pillar"]
    if len(pillars) < 2:
        return []
    chosen = {"Strongest": max(pillars, key=lambda n: n.score), "Weakest": min(pillars, key=lambda n: n.score)}
    lines = []
    for word, node in chosen.items():
        doing = ""
        if node.points_added is not None:
            verb, direction = ("adds", "to") if node.points_added >= 0 else ("takes", "off")
            amount = words.count(round(abs(node.points_added)), "point")
            doing = f"; it {verb} {amount} {direction} {words.small(node.parent_title or '')}"
        lines.append(f"  {word} pillar: {node.title}, {node.score:.0f}{doing}")
    return lines


def _not_scored(connection: duckdb.DuckDBPyConnection, place: Mapping[str, object]) -> list[str]:
    reasons = dict.fromkeys(
        (title, reason.split(": ", 1)[-1]) for title, reason, _ in connection.execute(_NOT_SCORED, place).fetchall()
    )
    return [f"  Not scored: {title}: {reason}" for title, reason in reasons]


def _figures(connection: duckdb.DuckDBPyConnection, area_code: str) -> list[str]:
    figures = latest_figures(connection, area_code)
    titles = [title for (title,) in connection.execute(_WITHOUT_FIGURES, [area_code]).fetchall()]
    used = {mark for figure in figures if (mark := _error_mark(figure))}
    return [
        *map(_figure_line, figures),
        *(f"  {title + ':':<{_FIGURE_WIDTH}}{'no figure':>10}" for title in titles),
        *(f"  {mark} margin of error: {said}" for mark, said in _ERROR_MARKS.values() if mark in used),
    ]


# Marks for figures without an interval, by the error status of the indicator.
_ERROR_MARKS: Final = {
    status: (mark, wording.no_interval_words(status))
    for status, mark in (
        ("from_vintages", "¶"),
        ("modelled", "#"),
        ("published_not_held", "†"),
        ("not_published", "‡"),
        ("published", "§"),
    )
}


def _error_mark(figure: LatestFigure) -> str:
    return "" if figure.has_interval else _ERROR_MARKS.get(figure.error_status or "", ("", ""))[0]


def _figure_line(figure: LatestFigure) -> str:
    decimals = figure.decimals
    interval = f" ({figure.lower:,.{decimals}f} to {figure.upper:,.{decimals}f})" if figure.has_interval else ""
    mark = "" if figure.status == "ok" else f", {figure.status}"
    beside = "" if figure.typical_value is None else f"; typical {figure.typical_value:,.{decimals}f}"
    if beside and figure.has_interval:
        beside += f" ({figure.verdict})"
    start = f"  {figure.title + ':':<{_FIGURE_WIDTH}}{figure.value:>10,.{decimals}f}{_error_mark(figure)}"
    return f"{start}{interval} {figure.unit}, {figure.year}{mark}{beside}"
