"""An area's profile in plain text, read from the published file alone."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from pipeline.in_short import certainty, in_short
from pipeline.reading import published

DEFAULT_FRAMEWORK = "shared_growth"
CHANGE_WINDOW_YEARS = 10
TYPICAL = 50.0
ENOUGH_DRAWS = 2000
LINE_WIDTH = 110
END_ERROR = 1.28  # standard error of a normal 5% quantile from n draws, in half-widths of the interval, times root n
_NEGLIGIBLE = 1e-9
_TITLE_WIDTH, _FIGURE_WIDTH = 50, 58

_AREA = """
select area_name, level, region_name, nation_name, combined_authority_name, is_scored
from dim_area
where area_code = ?
"""
_FIND = """
select area_code
from dim_area
where area_code = upper(replace(?, ' ', '')) or lower(area_name) = lower(trim(?)) or area_code = lower(trim(?))
"""
_DRAWS = "select draw_count from meta_run"
_LATEST_YEAR = """
select max(year)
from mart_score
where framework_id = ? and flavour = ? and window_years = ? and depth = 0
"""
_SCORES = """
select
    node.title,
    score.node_kind,
    score.depth,
    score.score,
    score.score_lower,
    score.score_upper,
    score.rank,
    score.rank_lower,
    score.rank_upper,
    score.rank_count,
    score.is_band,
    score.is_carried_forward,
    score.weight_with_error,
    score.node_id,
    node.parent_title,
    contribution.contribution,
    sum(contribution.contribution) over (partition by node.parent_node_id) as contributions,
    contribution.aggregate,
    parent.score as parent_score,
    score.probability_top_fifth,
    score.probability_bottom_fifth,
    score.probability_above_typical
from mart_score as score
inner join dim_node as node using (framework_id, node_id)
left join mart_contribution as contribution
    on
        contribution.area_code = score.area_code
        and contribution.framework_id = score.framework_id
        and contribution.flavour = score.flavour
        and contribution.window_years = score.window_years
        and contribution.year = score.year
        and contribution.node_id = node.parent_node_id
        and contribution.member_id = score.node_id
left join mart_score as parent
    on
        parent.area_code = score.area_code
        and parent.framework_id = score.framework_id
        and parent.flavour = score.flavour
        and parent.window_years = score.window_years
        and parent.year = score.year
        and parent.node_id = node.parent_node_id
where
    score.area_code = ?
    and score.framework_id = ?
    and score.flavour = ?
    and score.window_years = ?
    and score.year = ?
    and score.node_kind <> 'indicator'
order by node.position
"""
# What this area lacks, and what nobody has (which is a fact about the year, so it stands with the gates).
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
_LABEL = """
select label, quadrant_probability, most_probable_quadrant
from mart_shared_growth
where area_code = ? and framework_id = ? and flavour = ? and window_years = ? and year = ?
"""
_FIGURES = """
with latest as (
    select indicator_id, area_code, value, lower, upper, status, year
    from fct_observation
    where area_code = ? and value is not null
    qualify row_number() over (partition by indicator_id order by period_end desc) = 1
),

typical as (
    select indicator_id, year, median(value) as typical_value
    from fct_observation
    where level = 'district' and value is not null
    group by indicator_id, year
)

select
    indicator.title,
    indicator.unit,
    indicator.decimals,
    latest.value,
    latest.lower,
    latest.upper,
    latest.status,
    latest.year,
    typical.typical_value
from dim_indicator as indicator
left join latest using (indicator_id)
left join typical on typical.indicator_id = indicator.indicator_id and typical.year = latest.year
where indicator.observation_count > 0
order by indicator.theme, indicator.title
"""


@dataclass(frozen=True)
class NodeScore:
    """One node's score for the area, with the 90% intervals of score and rank where errors were carried through.

    ``contribution`` is its part in the node above, ``contributions`` the sum of all such parts (METHODOLOGY section 5).
    """

    title: str
    node_kind: str
    depth: int
    score: float
    score_lower: float | None
    score_upper: float | None
    rank: int | None
    rank_lower: int | None
    rank_upper: int | None
    rank_count: int | None
    is_band: bool | None
    is_carried_forward: bool
    weight_with_error: float | None
    node_id: str = ""
    parent_title: str | None = None
    contribution: float | None = None
    contributions: float | None = None
    aggregate: str | None = None
    parent_score: float | None = None
    probability_top_fifth: float | None = None
    probability_bottom_fifth: float | None = None
    probability_above_typical: float | None = None

    @property
    def has_hidden_error(self) -> bool:
        """Whether part of the score rests on figures whose survey error is not published, so its interval is too narrow."""
        return self.weight_with_error is not None and self.weight_with_error < 1 - _NEGLIGIBLE

    @property
    def is_at_an_end(self) -> bool:
        """Whether the score was held at an end of the scale, where the distance itself no longer shows."""
        return min(self.score, 100 - self.score) < _NEGLIGIBLE

    @property
    def points(self) -> float | None:
        """How many points of the node above are this one's doing: over its siblings they sum to that score less 50."""
        if self.contribution is None or self.contributions is None or self.parent_score is None:
            return None
        if abs(self.contributions) > _NEGLIGIBLE:
            return (self.parent_score - TYPICAL) * self.contribution / self.contributions
        return (
            self.contribution * {"arithmetic": 1.0, "geometric": TYPICAL, "harmonic": TYPICAL**2}[str(self.aggregate)]
        )

    @property
    def rank_words(self) -> str:
        """The rank as honestly as it is known: a band, an ordinal with its interval, or that its error is unknown."""
        if self.rank is None or self.rank_count is None:
            return "not ranked"
        if self.rank_lower is None or self.rank_upper is None:
            return "not given: its error is not known"
        if self.is_band:
            return f"band {self.rank_lower} to {self.rank_upper} of {self.rank_count}"
        return f"{self.rank} of {self.rank_count} ({self.rank_lower} to {self.rank_upper})"

    @property
    def interval_words(self) -> str:
        """The 90% interval of the score; a star says that it leaves errors out that nobody publishes."""
        if self.score_lower is None or self.score_upper is None:
            return "not known"
        return f"{self.score_lower:.0f} to {self.score_upper:.0f}{'*' if self.has_hidden_error else ' '}"


def find_published(database: Path, text: str) -> str | None:
    """The code of the one area of the published file with this code or name, in any case; None for none or several.

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
        area = connection.execute(_AREA, [area_code]).fetchone()
        if area is None:
            return f"{area_code} is not an area of the published file."
        name, level, region, nation, combined_authority, is_scored = area
        places = [place for place in dict.fromkeys((combined_authority, region, nation)) if place and place != name]
        lines = [f"{name} ({area_code})", ", ".join([level.replace("_", " "), *places]), ""]
        if level == "district" and not is_scored:
            lines += ["Shown, not scored: too few people live here for most surveys to say anything.", ""]
        else:
            level_view, change_view = (
                _view(connection, area_code, flavour, window)
                for flavour, window in (("level", 0), ("change", CHANGE_WINDOW_YEARS))
            )
            if said := in_short(level_view.nodes, change_view.nodes, change_view.year, CHANGE_WINDOW_YEARS):
                lines += [*textwrap.wrap(f"In short: {said}", LINE_WIDTH), *_starred(said), ""]
            for view in (level_view, change_view):
                lines += [*_scores(connection, area_code, level == "district", view), ""]
        lines += [
            "Latest figures, and those of the typical district (its median) in the same year",
            *_figures(connection, area_code),
        ]
        return "\n".join(lines)


@dataclass(frozen=True)
class _View:
    """A flavour and its window (0 for the level) in their latest year: what one block of the profile shows."""

    flavour: str
    window_years: int
    year: int | None
    nodes: Sequence[NodeScore]

    @property
    def heading(self) -> str:
        scale = "scores from 0 to 100, 50 is the typical district"
        if self.flavour == "level" or self.year is None:
            return f"Where it stands in {self.year} ({scale})"
        return f"Where it has been heading, {self.year - self.window_years + 1} to {self.year} (the same scale)"


def _view(connection: duckdb.DuckDBPyConnection, area_code: str, flavour: str, window_years: int) -> _View:
    found = connection.execute(_LATEST_YEAR, [DEFAULT_FRAMEWORK, flavour, window_years]).fetchone()
    year = None if found is None or found[0] is None else int(found[0])
    rows = connection.execute(_SCORES, [area_code, DEFAULT_FRAMEWORK, flavour, window_years, year]).fetchall()
    return _View(flavour, window_years, year, [NodeScore(*row) for row in rows])


def _starred(said: str) -> list[str]:
    return ["* by its figures, whose error nobody publishes"] if "*" in said else []


def _scores(connection: duckdb.DuckDBPyConnection, area_code: str, is_district: bool, view: _View) -> list[str]:
    if view.year is None:
        return [f"No scores of the {view.flavour} are in the published file."]
    place = [area_code, DEFAULT_FRAMEWORK, view.flavour, view.window_years, view.year]
    nodes = view.nodes
    header = f"  {'':<{_TITLE_WIDTH}}{'score':>5}  {'90% interval':>13}  {'adds':>5}"
    lines = [view.heading, header + ("  rank (90% interval)" if is_district else "")]
    lines += [_node_line(node, is_district) for node in nodes]
    if any(node.points is not None for node in nodes):
        lines.append("  adds: how many points of the line it belongs to are its doing, above or below 50")
    if any(node.is_at_an_end for node in nodes):
        lines.append("  0 and 100 are the ends of the scale: that far from the typical district, or further")
    if any(node.score_lower is not None for node in nodes):
        lines += _draws_words(connection.execute(_DRAWS).fetchone())
    if any(node.has_hidden_error and node.score_lower is not None for node in nodes):
        lines.append("  * rests in part on figures without a published error: the true interval is wider")
    lines += _strongest_and_weakest(nodes)
    if is_district:
        lines += _label_words(connection.execute(_LABEL, place).fetchone())
    named = dict(zip(("area", "framework", "flavour", "window", "year"), place, strict=True))
    return lines + _not_scored(connection, named)


def _draws_words(row: tuple[int] | None) -> list[str]:
    """How far the number of draws settles an interval; nothing where a thorough run settled it well enough."""
    draws = row[0] if row else 0
    if not draws or draws >= ENOUGH_DRAWS:
        return []
    share = END_ERROR / math.sqrt(draws)
    return [f"  intervals are from {draws} draws: other draws move an end by some {share:.0%} of the half-width"]


def _node_line(node: NodeScore, is_district: bool) -> str:
    title = "  " * node.depth + node.title
    points = "" if node.points is None else f"{round(node.points):+d}" if round(node.points) else "0"
    line = f"  {title:<{_TITLE_WIDTH}}{node.score:>5.0f}  {node.interval_words:>13}  {points:>5}"
    if is_district:
        line += f"  {node.rank_words}"
    if node.is_carried_forward and node.node_kind == "pillar":
        line += "; rests on an earlier year"
    return line.rstrip()


def _strongest_and_weakest(nodes: Sequence[NodeScore]) -> list[str]:
    """The pillars with the highest and the lowest score, and what each does to its domain."""
    pillars = [node for node in nodes if node.node_kind == "pillar"]
    if len(pillars) < 2:
        return []
    chosen = {"Strongest": max(pillars, key=lambda n: n.score), "Weakest": min(pillars, key=lambda n: n.score)}
    lines = []
    for word, node in chosen.items():
        doing = ""
        if node.points is not None:
            verb, direction = ("adds", "to") if node.points >= 0 else ("takes", "off")
            amount = f"{abs(node.points):.0f} {'point' if round(abs(node.points)) == 1 else 'points'}"
            doing = f"; it {verb} {amount} {direction} {(node.parent_title or '').lower()}"
        lines.append(f"  {word} pillar: {node.title}, {node.score:.0f}{doing}")
    return lines


def _label_words(row: tuple[str, float, str] | None) -> list[str]:
    if row is None or row[0] is None:
        return ["  Label: none, for want of scores with known errors"]
    label, probability, most_probable = row
    if label == "not clear":
        return [f"  Label: not clear (the most probable, {most_probable}, has probability {probability:.2f})"]
    return [f"  Label: {label} (probability {certainty(probability)}), against the typical district"]


def _not_scored(connection: duckdb.DuckDBPyConnection, place: Mapping[str, object]) -> list[str]:
    reasons = dict.fromkeys(
        (title, reason.split(": ", 1)[-1]) for title, reason, _ in connection.execute(_NOT_SCORED, place).fetchall()
    )
    return [f"  Not scored: {title}: {reason}" for title, reason in reasons]


def _figures(connection: duckdb.DuckDBPyConnection, area_code: str) -> list[str]:
    lines = []
    for title, unit, decimals, value, lower, upper, status, year, typical in connection.execute(
        _FIGURES, [area_code]
    ).fetchall():
        if value is None:
            lines.append(f"  {title + ':':<{_FIGURE_WIDTH}}{'no figure':>10}")
            continue
        interval = f" ({lower:,.{decimals}f} to {upper:,.{decimals}f})" if lower is not None else ""
        mark = "" if status == "ok" else f", {status}"
        beside = "" if typical is None else f"; typical {typical:,.{decimals}f}"
        lines.append(f"  {title + ':':<{_FIGURE_WIDTH}}{value:>10,.{decimals}f}{interval} {unit}, {year}{mark}{beside}")
    return lines
