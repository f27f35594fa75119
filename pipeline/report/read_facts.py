"""Read the published file into `Facts`. Every query names its columns, so an older file gives a clear error."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import duckdb

from pipeline.published import words
from pipeline.published.fifths import fifths
from pipeline.published.figures import LatestFigure, latest_figures, series, typical_districts
from pipeline.published.residents_and_output import side_by_side
from pipeline.published.scores import CHANGE, CHANGE_WINDOW_YEARS, DEFAULT_FRAMEWORK, LEVEL, Score, latest_scores
from pipeline.reading import CannotRead, first_line, published
from pipeline.report.facts import Area, Dictionary, Facts, Indicator, Node, RankSet, Run, Source, Study

_RUN = """
select built_at, code_version, input_fingerprint, draw_count, is_thorough, observation_count, rows_read, rows_set_aside
from meta_run
"""
_AREAS = """
select
    area_code, area_name, level, region_code, region_name, nation_code, nation_name,
    combined_authority_code, combined_authority_name, county_name, latitude, longitude, is_scored
from dim_area
order by area_name, area_code
"""
_GROUPS = "select group_id, area_code from bridge_area_group order by group_id, area_name"
_INDICATORS = """
select
    indicator_id, title, description, theme, unit, decimals, polarity, nations, intervals, publisher, caveats,
    publisher_caveats, citation_url, licence, is_computed, first_year, last_year, coalesce(district_count, 0),
    coalesce(string_split(series_breaks, ', ')::integer[], []), error_status
from dim_indicator
order by theme, title, indicator_id
"""
_NODES = """
select node_id, title, parent_node_id, depth, note, flavours
from dim_node
where framework_id = ? and not is_indicator
order by position
"""
_NODE_INDICATORS = """
select parent_node_id, node_id
from dim_node
where framework_id = ? and is_indicator
order by position
"""
_NOT_SCORED = """
select not_scored.area_code, node.title, not_scored.reason
from mart_not_scored as not_scored
inner join dim_node as node using (framework_id, node_id)
where framework_id = ? and flavour = ? and window_years = ? and year = ? and not node.is_indicator
order by not_scored.area_code, node.position
"""
_RANK_SETS = """
select indicator_id, area_code, rank, rank_lower, rank_upper, rank_count, year, coverage
from mart_rank
where framework_id = ?
order by indicator_id, area_code
"""
_SOURCES = """
select
    indicator_id, part_id, tier, publisher, edition, publisher_updated, retrieved_on, age_days, is_stale, why_not_live,
    url, row_count, quarantined_count, last_year, warnings
from meta_source
order by indicator_id, part_id
"""
_DICTIONARY = """
select tables.table_name, tables.comment, columns.column_name, columns.data_type, columns.comment
from duckdb_tables() as tables
inner join duckdb_columns() as columns using (table_name)
where not tables.internal and not columns.internal
order by tables.table_oid, columns.column_index
"""
_STUDIES = {
    "release": """
        select release_version, previous_version, released_at, kind
        from meta_release
        order by released_at desc
        limit 1
    """,
    "revisions": """
        select
            indicator_id,
            kind,
            cause,
            count(*) as figures,
            count(distinct area_code) as areas,
            min(year) as first_year,
            max(year) as last_year,
            max(abs(difference_percent)) as largest_percent
        from mart_revision
        semi join (from meta_release order by released_at desc limit 1) using (release_version)
        group by indicator_id, kind, cause
        order by figures desc, indicator_id, kind
    """,
    "quarantine": """
        select stage, indicator_id, reason, count(*) as row_count
        from meta_quarantine
        group by all
        order by row_count desc, indicator_id, reason
    """,
    "gates": """
        select indicator_id, flavour, reason, reliability_deciding
        from mart_gate
        where framework_id = $framework and window_years in (0, $window)
        qualify row_number() over (partition by indicator_id, flavour order by year desc) = 1
        order by flavour desc, indicator_id
    """,
    "importance": """
        select
            flavour,
            member_id,
            max(value) filter (where statistic = 'nominal_weight') as nominal_weight,
            max(value) filter (where statistic = 'importance_share') as importance_share
        from mart_audit
        where framework_id = $framework and statistic in ('nominal_weight', 'importance_share')
            and window_years in (0, $window)
        group by flavour, member_id
        order by flavour desc, importance_share desc nulls last, member_id
    """,
    "flags": """
        select flavour, node_id, statistic, value, note
        from mart_audit
        where is_flagged and framework_id = $framework and limit_value is null
        order by audit_id
    """,
    "correlations": """
        select framework_id, framework_title, flavour, window_years, member_id, other_id, value, limit_value, is_failure, note
        from mart_audit
        where limit_value is not null and (is_flagged or (framework_id = $framework and abs(value) > 0.5))
        order by is_failure desc, framework_id = $framework desc, abs(value) desc, audit_id
    """,
    "audited": """
        select framework_title, count(*) filter (where is_failure) as failures, count(limit_value) as judged
        from mart_audit
        group by framework_id, framework_title
        order by framework_id = $framework desc
    """,
    "pillar_weights": """
        select
            flavour,
            node_id,
            max(value) filter (where statistic = 'mean_weight') as mean_weight,
            max(value) filter (where statistic = 'effective_weight') as effective_weight,
            max(value) filter (where statistic = 'share_at_bottom') as share_at_bottom,
            max(value) filter (where statistic = 'share_at_top') as share_at_top
        from (
            select flavour, coalesce(member_id, node_id) as node_id, statistic, value
            from mart_audit
            where framework_id = $framework and window_years in (0, $window)
                and statistic in ('mean_weight', 'effective_weight', 'share_at_bottom', 'share_at_top')
            qualify year = max(year) over (partition by flavour, statistic)
        )
        group by flavour, node_id
        having effective_weight is not null
        order by flavour desc, mean_weight desc, node_id
    """,
    "sensitivity": """
        select flavour, factor, total_effect, total_effect_half_width, mean_rank_shift, evaluations
        from mart_sensitivity
        where framework_id = $framework
        order by flavour desc, total_effect desc nulls last, factor
    """,
    "variants": """
        select flavour, factor, option, mean_rank_shift, largest_rank_shift, proof, is_proven
        from mart_sensitivity_variant
        where framework_id = $framework
        order by flavour desc, mean_rank_shift desc nulls last, factor, option
    """,
}


_Held = TypeVar("_Held")


def read_facts(path: Path) -> Facts:
    """Everything the report shows, from the published file.

    Raises CannotRead if the file is missing, cannot be opened, or lacks tables that this version of the report shows.
    """
    with published(path) as connection:
        try:
            return _facts(connection)
        except duckdb.Error as error:
            raise CannotRead(
                f"{path.name} lacks data that the report shows ({first_line(error)}); it was made by another version "
                "of this project or is damaged: run `make refresh` first"
            ) from error


def _facts(connection: duckdb.DuckDBPyConnection) -> Facts:
    def rows(sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        return connection.execute(sql, list(parameters)).fetchall()

    runs = rows(_RUN)
    if not runs:
        raise CannotRead("the published file does not name the run that made it; run `make refresh` first")
    areas = {area.code: area for area in told_apart([Area(*row) for row in rows(_AREAS)])}
    scores = {flavour: _scores(connection, flavour) for flavour in (LEVEL, CHANGE)}
    years = {f: held[0].year for f, held in scores.items() if held}
    windows = {LEVEL: 0, CHANGE: CHANGE_WINDOW_YEARS}
    groups = rows(_GROUPS)
    return Facts(
        run=Run(*runs[0]),
        areas=areas,
        members=_members(areas.values(), groups),
        group_codes=list(dict.fromkeys(group for group, _ in groups)),
        indicators={row[0]: _indicator(row) for row in rows(_INDICATORS)},
        nodes=[
            Node(row[0], _printed(row[1]), row[2], row[3], row[4], tuple(row[5].split(", ")))
            for row in rows(_NODES, DEFAULT_FRAMEWORK)
        ],
        node_indicators=_lists(rows(_NODE_INDICATORS, DEFAULT_FRAMEWORK)),
        years=years,
        scores={flavour: _nested((s.node_id, s.area_code, s) for s in scores[flavour]) for flavour in years},
        not_scored={
            f: _lists((row[0], row[1:]) for row in rows(_NOT_SCORED, DEFAULT_FRAMEWORK, f, windows[f], year))
            for f, year in years.items()
        },
        fifths=[replace(fifth, title=_printed(fifth.title)) for fifth in fifths(connection)],
        figures=series(connection),
        latest_figures=_nested((f.indicator_id, f.area_code, f) for f in _latest_figures(connection)),
        typical=typical_districts(connection),
        rank_sets=_nested((row[0], row[1], RankSet(*row[2:])) for row in rows(_RANK_SETS, DEFAULT_FRAMEWORK)),
        pass_through=_lists((held.area_code, held) for held in side_by_side(connection)),
        sources=[Source(*row) for row in rows(_SOURCES)],
        dictionary=list(_dictionary(rows(_DICTIONARY))),
        studies={name: _study(connection, sql) for name, sql in _STUDIES.items()},
    )


def _scores(connection: duckdb.DuckDBPyConnection, flavour: str) -> list[Score]:
    """The scores of all areas, with typographic apostrophes in titles."""
    return [_printed_titles(score) for score in latest_scores(connection, flavour, with_indicators=True)]


def _printed_titles(score: Score) -> Score:
    if "'" not in f"{score.title}{score.parent_title}{score.missing_pillars}":
        return score
    parent, lacks = (text and _printed(text) for text in (score.parent_title, score.missing_pillars))
    return replace(score, title=_printed(score.title), parent_title=parent, missing_pillars=lacks)


def _latest_figures(connection: duckdb.DuckDBPyConnection) -> list[LatestFigure]:
    return [
        replace(figure, title=_printed(figure.title)) if "'" in figure.title else figure
        for figure in latest_figures(connection)
    ]


def told_apart(areas: list[Area]) -> list[Area]:
    """The areas with unique names: `West Midlands combined authority` and `West Midlands region`.

    Charts identify a series by its name, so two areas with one name would be drawn as one line.
    """
    held = Counter(area.name for area in areas)
    called = [area.name if held[area.name] == 1 else f"{area.name} {words.kind(area.level)}" for area in areas]
    again = Counter(called)
    called = [name if again[name] == 1 else f"{name} {area.code}" for name, area in zip(called, areas, strict=True)]
    return [
        area if name == area.name else replace(area, name=name, published_name=area.name)
        for name, area in zip(called, areas, strict=True)
    ]


def _indicator(row: tuple[Any, ...]) -> Indicator:
    """An indicator with typographic apostrophes in our own words; the publisher's words are unchanged."""
    held = Indicator(*row)
    return replace(
        held,
        title=_printed(held.title),
        description=_printed(held.description),
        caveats=_printed(held.caveats) if held.caveats else None,
        series_breaks=tuple(held.series_breaks),
    )


def _printed(title: str) -> str:
    """A title with a typographic apostrophe, as in the sentences around it."""
    return title.replace("'", "’")


def _members(areas: Iterable[Area], groups: Iterable[tuple[Any, ...]]) -> dict[str, list[str]]:
    """The districts of every wider area and group, by the code of the wider area."""
    found: dict[str, list[str]] = defaultdict(list)
    for group, code in groups:
        found[group].append(code)
    for area in areas:
        if area.is_district:
            for wider in dict.fromkeys((area.combined_authority_code, area.region_code, area.nation_code)):
                if wider:
                    found[wider].append(area.code)
    return dict(found)


def _lists(pairs: Iterable[tuple[Any, ...]]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = defaultdict(list)
    for key, value in pairs:
        found[key].append(value)
    return dict(found)


def _nested(triples: Iterable[tuple[str, str, _Held]]) -> dict[str, dict[str, _Held]]:
    """The third item of each triple, by the first two."""
    found: dict[str, dict[str, _Held]] = defaultdict(dict)
    for first, second, held in triples:
        found[first][second] = held
    return dict(found)


def _dictionary(rows: Iterable[tuple[Any, ...]]) -> Iterator[Dictionary]:
    tables: dict[str, tuple[str, list[tuple[str, str, str]]]] = {}
    for table, comment, column, kind, about in rows:
        shown = "ENUM" if kind.startswith("ENUM") else kind
        tables.setdefault(table, (comment or "", []))[1].append((column, shown, about or ""))
    for table, (comment, columns) in tables.items():
        yield Dictionary(table, comment, tuple(columns))


def _study(connection: duckdb.DuckDBPyConnection, sql: str) -> Study:
    known = {"framework": DEFAULT_FRAMEWORK, "window": CHANGE_WINDOW_YEARS}
    result = connection.execute(sql, {name: value for name, value in known.items() if f"${name}" in sql})
    columns = tuple(column[0] for column in result.description or [])
    return Study(columns, tuple(result.fetchall()))
