"""A district's profile in plain text, read from the published file alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb

from pipeline.reading import published

DEFAULT_FRAMEWORK = "shared_growth"
CHANGE_WINDOW_YEARS = 10
_NEGLIGIBLE = 1e-9
_MOST_LISTED = 2

_AREA = """
select area_name, level, region_name, nation_name, combined_authority_name, is_scored
from dim_area
where area_code = ?
"""
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
    score.weight_with_error
from mart_score as score
inner join dim_node as node using (framework_id, node_id)
where
    score.area_code = ?
    and score.framework_id = ?
    and score.flavour = ?
    and score.window_years = ?
    and score.year = ?
    and score.node_kind <> 'indicator'
order by node.position
"""
_NOT_SCORED = """
select node.title, not_scored.reason
from mart_not_scored as not_scored
inner join dim_node as node using (framework_id, node_id)
where
    not_scored.area_code = ?
    and not_scored.framework_id = ?
    and not_scored.flavour = ?
    and not_scored.window_years = ?
    and not_scored.year = ?
    and not node.is_indicator
order by node.position
"""
_PARTS = """
select node.title, contribution.contribution
from mart_contribution as contribution
inner join dim_node as node
    on node.framework_id = contribution.framework_id and node.node_id = contribution.member_id
where
    contribution.area_code = ?
    and contribution.framework_id = ?
    and contribution.flavour = ?
    and contribution.window_years = ?
    and contribution.year = ?
    and contribution.node_id = ?
order by contribution.contribution desc
"""
_LABEL = """
select label, probability, most_probable_label
from mart_label
where area_code = ? and framework_id = ? and window_years = ? and year = ?
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
    """One node's score for the area, with the 90% intervals of score and rank where errors were carried through."""

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

    @property
    def has_hidden_error(self) -> bool:
        """Whether part of the score rests on figures whose survey error is not published, so its interval is too narrow."""
        return self.weight_with_error is not None and self.weight_with_error < 1 - _NEGLIGIBLE

    @property
    def rank_words(self) -> str:
        """The rank as honestly as it is known: a band, an ordinal with its interval, or that its error is unknown."""
        if self.rank is None or self.rank_count is None:
            return "not ranked"
        if self.rank_lower is None or self.rank_upper is None:
            return "rank not given: no survey error is published"
        if self.is_band:
            return f"rank band {self.rank_lower} to {self.rank_upper} of {self.rank_count}"
        return f"rank {self.rank} of {self.rank_count} (90% interval {self.rank_lower} to {self.rank_upper})"

    @property
    def score_words(self) -> str:
        """The score with its 90% interval; a star says that the interval leaves errors out that nobody publishes."""
        if self.score_lower is None or self.score_upper is None:
            return f"{self.score:.0f}"
        star = "*" if self.has_hidden_error else ""
        return f"{self.score:.0f} ({self.score_lower:.0f} to {self.score_upper:.0f}){star}"


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
            for view in (_View("level", 0), _View("change", CHANGE_WINDOW_YEARS)):
                lines += [*_scores(connection, area_code, level == "district", view), ""]
        lines += ["Latest figures", *_figures(connection, area_code)]
        return "\n".join(lines)


@dataclass(frozen=True)
class _View:
    """A flavour and its window (0 for the level): what one block of the profile shows."""

    flavour: str
    window_years: int

    def heading(self, year: int) -> str:
        scale = "0 to 100, 50 is the typical district; 90% intervals in brackets"
        if self.flavour == "level":
            return f"Where it stands in {year} ({scale})"
        return f"Where it has been heading, {year - self.window_years + 1} to {year} (the same scale)"


def _scores(connection: duckdb.DuckDBPyConnection, area_code: str, is_district: bool, view: _View) -> list[str]:
    found = connection.execute(_LATEST_YEAR, [DEFAULT_FRAMEWORK, view.flavour, view.window_years]).fetchone()
    if found is None or found[0] is None:
        return [f"No scores of the {view.flavour} are in the published file."]
    year = int(found[0])
    place = [area_code, DEFAULT_FRAMEWORK, view.flavour, view.window_years, year]
    nodes = [NodeScore(*row) for row in connection.execute(_SCORES, place).fetchall()]
    lines = [view.heading(year)]
    for node in nodes:
        carried = "; rests on an earlier year" if node.is_carried_forward and node.node_kind == "pillar" else ""
        ranked = f"  {node.rank_words}" if is_district else ""
        indent = "  " * (node.depth + 1)
        lines.append(f"{indent}{node.title:<{46 - 2 * node.depth}}{node.score_words:>17}{ranked}{carried}")
    if any(node.has_hidden_error and node.score_lower is not None for node in nodes):
        lines.append("  * rests in part on figures without a published error: the true interval is wider")
    for domain in ("growth", "sharing"):
        lines += _lifts_and_drags(domain, connection.execute(_PARTS, [*place, domain]).fetchall())
    if view.flavour == "change":
        row = connection.execute(_LABEL, [area_code, DEFAULT_FRAMEWORK, view.window_years, year]).fetchone()
        lines += _label_words(row)
    for title, reason in connection.execute(_NOT_SCORED, place).fetchall():
        lines.append(f"  Not scored: {title}: {reason.split(': ', 1)[-1]}")
    return lines


def _lifts_and_drags(domain: str, parts: list[tuple[str, float]]) -> list[str]:
    """The parts that lift a domain's score above the typical district's 50 and those that hold it below, strongest first."""
    lifts = [f"{title} ({value:+.2f})" for title, value in parts if value > 0][:_MOST_LISTED]
    drags = [f"{title} ({value:+.2f})" for title, value in reversed(parts) if value < 0][:_MOST_LISTED]
    words = [f"{verb} by {', '.join(names)}" for verb, names in (("lifted", lifts), ("held back", drags)) if names]
    return [f"  {domain.capitalize()} is {'; '.join(words)} [share of ln(score / 50)]"] if words else []


def _label_words(row: tuple[str, float, str] | None) -> list[str]:
    if row is None:
        return ["  Label: none, for want of scores with known errors"]
    label, probability, most_probable = row
    if label == "not clear":
        return [f"  Label: not clear (the most probable, {most_probable}, has probability {probability:.2f})"]
    return [f"  Label: {label} (probability {probability:.2f}), against the typical district"]


def _figures(connection: duckdb.DuckDBPyConnection, area_code: str) -> list[str]:
    lines = []
    for title, unit, decimals, value, lower, upper, status, year, typical in connection.execute(
        _FIGURES, [area_code]
    ).fetchall():
        if value is None:
            lines.append(f"  {title}: no figure")
            continue
        interval = f" ({lower:,.{decimals}f} to {upper:,.{decimals}f})" if lower is not None else ""
        mark = "" if status == "ok" else f", {status}"
        lines.append(
            f"  {title}: {value:,.{decimals}f}{interval} {unit}, {year}{mark}; typical district {typical:,.{decimals}f}"
        )
    return lines
