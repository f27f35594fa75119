"""A district's profile in plain text, read from the published file alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb

from pipeline.reading import published

DEFAULT_FRAMEWORK = "shared_growth"
# Where the 90% interval of a rank is wider than this share of the field, a band is shown and no ordinal (METHODOLOGY section 6).
_NEGLIGIBLE = 1e-9
WIDEST_INTERVAL_FOR_AN_ORDINAL = 1 / 3

_AREA = """
select area_name, level, region_name, nation_name, combined_authority_name, is_scored
from dim_area
where area_code = ?
"""
_YEAR = "select score_year from mart_area_profile limit 1"
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
    score.is_carried_forward,
    score.weight_with_error
from mart_score as score
inner join dim_node as node using (framework_id, node_id)
where
    score.area_code = ?
    and score.framework_id = ?
    and score.flavour = 'level'
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
    and not_scored.flavour = 'level'
    and not_scored.year = ?
    and not node.is_indicator
order by node.position
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
        if self.rank_upper - self.rank_lower > WIDEST_INTERVAL_FOR_AN_ORDINAL * self.rank_count:
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
        year_row = connection.execute(_YEAR).fetchone()
        year = int(year_row[0]) if year_row and year_row[0] is not None else None
        lines = [*_heading(area_code, area), "", *_scores(connection, area_code, area, year), ""]
        lines += ["Latest figures", *_figures(connection, area_code)]
        return "\n".join(lines)


def _heading(area_code: str, area: tuple[object, ...]) -> list[str]:
    name, level, region, nation, combined_authority, _ = area
    places = [str(place) for place in dict.fromkeys((combined_authority, region, nation)) if place and place != name]
    return [f"{name} ({area_code})", ", ".join([str(level).replace("_", " "), *places])]


def _scores(
    connection: duckdb.DuckDBPyConnection, area_code: str, area: tuple[object, ...], year: int | None
) -> list[str]:
    if year is None:
        return ["No scores are in the published file."]
    nodes = [NodeScore(*row) for row in connection.execute(_SCORES, [area_code, DEFAULT_FRAMEWORK, year]).fetchall()]
    lines = [f"Scores {year}, 0 to 100, 50 is the typical district (90% intervals in brackets)"]
    for node in nodes:
        carried = "; rests on an earlier year" if node.is_carried_forward and node.node_kind == "pillar" else ""
        ranked = f"  {node.rank_words}" if area[1] == "district" else ""
        lines.append(
            f"{'  ' * (node.depth + 1)}{node.title:<{46 - 2 * node.depth}}{node.score_words:>17}{ranked}{carried}"
        )
    if any(node.has_hidden_error and node.score_lower is not None for node in nodes):
        lines.append("  * rests in part on figures without a published error: the true interval is wider")
    if not nodes and not area[5] and area[1] == "district":
        lines.append("  shown, not scored: too few residents for most surveys to say anything")
    for title, reason in connection.execute(_NOT_SCORED, [area_code, DEFAULT_FRAMEWORK, year]).fetchall():
        lines.append(f"  not scored: {title}: {reason}")
    return lines


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
