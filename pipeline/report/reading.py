"""Read the published file into `Facts`. Every query names its columns, so an older file fails with a sentence."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import duckdb

from pipeline.published import words
from pipeline.reading import CannotRead, first_line, published
from pipeline.report.facts import (
    CHANGE,
    FRAMEWORK,
    LEVEL,
    WINDOW_YEARS,
    Area,
    Dictionary,
    Facts,
    Figure,
    Indicator,
    Label,
    Node,
    RankSet,
    Run,
    Score,
    Source,
    Study,
    Typical,
)

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
    publisher_caveats, citation_url, licence, is_computed, first_year, last_year, coalesce(district_count, 0)
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
_YEAR = "select max(year) from mart_score where framework_id = ? and flavour = ? and window_years = ? and depth = 0"
_SCORES = """
select
    node_id, area_code, score, score_lower, score_upper, rank, rank_lower, rank_upper, rank_count, probability_top_fifth,
    probability_bottom_fifth, probability_above_typical, is_band, is_carried_forward, weight_with_error
from mart_score
where framework_id = ? and flavour = ? and window_years = ? and year = ?
order by node_id, area_code
"""
_NOT_SCORED = """
select not_scored.area_code, node.title, not_scored.reason
from mart_not_scored as not_scored
inner join dim_node as node using (framework_id, node_id)
where framework_id = ? and flavour = ? and window_years = ? and year = ? and not node.is_indicator
order by not_scored.area_code, node.position
"""
_CONTRIBUTIONS = """
select node_id, area_code, member_id, contribution
from mart_contribution
where framework_id = ? and flavour = ? and window_years = ? and year = ?
order by node_id, area_code, contribution desc, member_id
"""
_LABELS = """
select area_code, label, probability, most_probable_label
from mart_label
where framework_id = ? and window_years = ? and year = ?
order by area_code
"""
_FIGURES = """
select indicator_id, area_code, year, value, lower, upper, status
from fct_observation
qualify row_number() over (partition by indicator_id, area_code, year order by period_end desc) = 1
order by indicator_id, area_code, year
"""
_TYPICAL = """
select
    indicator_id,
    year,
    median(value),
    quantile_cont(value, 0.1),
    quantile_cont(value, 0.9),
    count(distinct area_code)
from fct_observation
inner join dim_area using (area_code)
where value is not null and is_scored
group by indicator_id, year
order by indicator_id, year
"""
_TYPICAL_IN_NATION = """
with figure as (
    select indicator_id, nation_code, year, area_code, value
    from fct_observation
    inner join dim_area using (area_code)
    where value is not null and is_scored and nation_code is not null
),

covered as (
    select indicator_id, year, count(distinct nation_code) as nations
    from figure
    group by indicator_id, year
),

apart as (
    select indicator_id
    from figure
    inner join covered using (indicator_id, year)
    group by indicator_id
    having count(distinct nation_code) > max(nations)
)

select
    indicator_id,
    nation_code,
    year,
    median(value),
    quantile_cont(value, 0.1),
    quantile_cont(value, 0.9),
    count(distinct area_code)
from figure
semi join apart using (indicator_id)
group by indicator_id, nation_code, year
order by indicator_id, nation_code, year
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
_DIRECTIONS = """
select indicator_id, area_code, direction
from mart_indicator_trend
where direction is not null
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
    "fifths": """
        select node_title, flavour, fifth, sure_count, fifth_count, rank_count, sure_area_names
        from mart_fifth
        where framework_id = 'shared_growth' and basis = 'draws' and window_years in (0, 10)
            and node_id in ('growth', 'sharing')
        order by flavour desc, node_id, fifth desc
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
        where framework_id = 'shared_growth' and window_years in (0, 10)
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
        where framework_id = 'shared_growth' and statistic in ('nominal_weight', 'importance_share')
            and (window_years in (0, 10))
        group by flavour, member_id
        order by flavour desc, importance_share desc nulls last, member_id
    """,
    "flags": """
        select flavour, node_id, statistic, value, note
        from mart_audit
        where is_flagged and framework_id = 'shared_growth'
        order by audit_id
    """,
    "sensitivity": """
        select flavour, factor, total_effect, total_effect_half_width, mean_rank_shift, evaluations
        from mart_sensitivity
        where framework_id = 'shared_growth'
        order by flavour desc, total_effect desc nulls last, factor
    """,
    "variants": """
        select flavour, factor, option, mean_rank_shift, largest_rank_shift, proof, is_proven
        from mart_sensitivity_variant
        where framework_id = 'shared_growth'
        order by flavour desc, mean_rank_shift desc nulls last, factor, option
    """,
}


_Key = TypeVar("_Key", str, tuple[str, str])


def read_facts(path: Path) -> Facts:
    """Everything the report shows, from the published file.

    Raises CannotRead when the file is missing, cannot be opened, or lacks tables that this version of the report shows.
    """
    with published(path) as connection:
        try:
            return _facts(connection)
        except duckdb.Error as error:
            raise CannotRead(
                f"{path.name} does not hold what the report shows ({first_line(error)}); it was made by another version "
                "of this project or is damaged: run `make refresh` first"
            ) from error


def _facts(connection: duckdb.DuckDBPyConnection) -> Facts:
    def rows(sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        return connection.execute(sql, list(parameters)).fetchall()

    runs = rows(_RUN)
    if not runs:
        raise CannotRead("the published file says of no run that made it; run `make refresh` first")
    areas = {area.code: area for area in told_apart([Area(*row) for row in rows(_AREAS)])}
    windows = {LEVEL: 0, CHANGE: WINDOW_YEARS}
    years = {flavour: rows(_YEAR, FRAMEWORK, flavour, window)[0][0] for flavour, window in windows.items()}
    views = {f: (FRAMEWORK, f, windows[f], year) for f, year in years.items() if year is not None}
    groups = rows(_GROUPS)
    directions: dict[str, dict[str, str]] = defaultdict(dict)
    for indicator, code, direction in rows(_DIRECTIONS):
        directions[indicator][code] = direction
    return Facts(
        directions=dict(directions),
        run=Run(*runs[0]),
        areas=areas,
        members=_members(areas.values(), groups),
        group_codes=list(dict.fromkeys(group for group, _ in groups)),
        indicators={row[0]: _indicator(row) for row in rows(_INDICATORS)},
        nodes=[
            Node(row[0], _printed(row[1]), row[2], row[3], row[4], tuple(row[5].split(", ")))
            for row in rows(_NODES, FRAMEWORK)
        ],
        node_indicators=_lists(rows(_NODE_INDICATORS, FRAMEWORK)),
        years={f: year for f, year in years.items() if year is not None},
        scores={f: _tables(rows(_SCORES, *view), Score) for f, view in views.items()},
        not_scored={f: _lists((row[0], row[1:]) for row in rows(_NOT_SCORED, *view)) for f, view in views.items()},
        labels={
            row[0]: Label(*row[1:])
            for row in (rows(_LABELS, FRAMEWORK, WINDOW_YEARS, years[CHANGE]) if CHANGE in views else [])
        },
        contributions={f: _nested_lists(rows(_CONTRIBUTIONS, *view)) for f, view in views.items()},
        figures=_series(rows(_FIGURES)),
        typical=_typical((row[0], row[1:]) for row in rows(_TYPICAL)),
        typical_in_nation=_typical(((row[0], row[1]), row[2:]) for row in rows(_TYPICAL_IN_NATION)),
        rank_sets=_tables(rows(_RANK_SETS, FRAMEWORK), RankSet),
        sources=[Source(*row) for row in rows(_SOURCES)],
        dictionary=list(_dictionary(rows(_DICTIONARY))),
        studies={name: _study(connection, sql) for name, sql in _STUDIES.items()},
    )


def told_apart(areas: list[Area]) -> list[Area]:
    """The areas with no name twice: `West Midlands combined authority` and `West Midlands region`.

    Charts know a series by its name, so two areas of one name would be drawn as one line.
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
    """An indicator with our own words as print has them; the publisher's words stay as they are."""
    held = Indicator(*row)
    return replace(
        held,
        title=_printed(held.title),
        description=_printed(held.description),
        caveats=_printed(held.caveats) if held.caveats else None,
    )


def _printed(title: str) -> str:
    """A title with the apostrophe of print, as the sentences around it have."""
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


def _tables(rows: Iterable[tuple[Any, ...]], kind: type[Any]) -> dict[str, dict[str, Any]]:
    """``kind`` made of all but the first two cells of each row, by these two."""
    found: dict[str, dict[str, Any]] = defaultdict(dict)
    for first, second, *cells in rows:
        found[first][second] = kind(*cells)
    return dict(found)


def _nested_lists(rows: Iterable[tuple[Any, ...]]) -> dict[str, dict[str, list[Any]]]:
    found: dict[str, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for node, code, member, value in rows:
        found[node][code].append((member, value))
    return {node: dict(codes) for node, codes in found.items()}


def _series(rows: Iterable[tuple[Any, ...]]) -> dict[str, dict[str, list[Figure]]]:
    found: dict[str, dict[str, list[Figure]]] = defaultdict(lambda: defaultdict(list))
    for indicator, code, *cells in rows:
        found[indicator][code].append(Figure(*cells))
    return {indicator: dict(codes) for indicator, codes in found.items()}


def _typical(rows: Iterable[tuple[_Key, tuple[Any, ...]]]) -> dict[_Key, dict[int, Typical]]:
    found: dict[_Key, dict[int, Typical]] = defaultdict(dict)
    for key, cells in rows:
        found[key][cells[0]] = Typical(*cells)
    return dict(found)


def _dictionary(rows: Iterable[tuple[Any, ...]]) -> Iterator[Dictionary]:
    tables: dict[str, tuple[str, list[tuple[str, str, str]]]] = {}
    for table, comment, column, kind, about in rows:
        shown = "ENUM" if kind.startswith("ENUM") else kind
        tables.setdefault(table, (comment or "", []))[1].append((column, shown, about or ""))
    for table, (comment, columns) in tables.items():
        yield Dictionary(table, comment, tuple(columns))


def _study(connection: duckdb.DuckDBPyConnection, sql: str) -> Study:
    result = connection.execute(sql)
    columns = tuple(column[0] for column in result.description or [])
    return Study(columns, tuple(result.fetchall()))
