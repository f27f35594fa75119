"""Figures of fct_observation that differ between two files, how each changed, and why."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import pyarrow as pa

from pipeline.compare.compared_files import NEW, OLD, Contents, first_row

NEEDED = ("area_code", "area_name", "indicator_id", "period", "year", "value", "status", "payload_sha256")
_INPUTS_OF_SCORES = ("standard_error", "period_end")
# Figures that differ by less than this share are equal: the last bits of an average depend on the order of its sum.
ARITHMETIC = 1e-12

CAUSES = ("method", "revision", "new_data")

# A change in a figure from bytes that were already held cannot come from the publisher: this project now reads them
# differently. The bytes of a computed figure are those of its two parts, joined by +.
_BYTES_ALSO_IN = """
create or replace temp table {table} as
with other_bytes as (
    select distinct unnest(string_split(payload_sha256, '+')) as sha from {other}.fct_observation
),

part as (
    select distinct payload_sha256, unnest(string_split(payload_sha256, '+')) as sha from {own}.fct_observation
)

select part.payload_sha256, bool_and(other_bytes.sha is not null) as {column}
from part
left join other_bytes using (sha)
group by part.payload_sha256
"""
_HELD_BYTES = _BYTES_ALSO_IN.format(table="held_bytes", own=NEW, other=OLD, column="was_held")
_USED_BYTES = _BYTES_ALSO_IN.format(table="used_bytes", own=OLD, other=NEW, column="is_used")
_FIGURE_CHANGE = f"""
create or replace temp table figure_change as
with old_figure as (
    select
        area_code::varchar as area_code,
        indicator_id::varchar as indicator_id,
        period, value, status, payload_sha256, {{old_interval}}
    from {OLD}.fct_observation
),

new_figure as (
    select
        area_code::varchar as area_code,
        indicator_id::varchar as indicator_id,
        period, value, status, payload_sha256, {{new_interval}}
    from {NEW}.fct_observation
),

paired as (
    select
        area_code,
        indicator_id,
        period,
        old_figure.status is not null as was_there,
        new_figure.status is not null as is_there,
        old_figure.value as old_value,
        new_figure.value as new_value,
        old_figure.status as old_status,
        new_figure.status as new_status,
        old_figure.value is distinct from new_figure.value
        and coalesce(abs(new_figure.value - old_figure.value) > {ARITHMETIC} * abs(old_figure.value), true)
            as has_other_value,
        {{has_other_interval}} as has_other_interval,
        old_figure.payload_sha256 as old_bytes,
        new_figure.payload_sha256 as new_bytes
    from old_figure
    full join new_figure using (area_code, indicator_id, period)
)

select
    paired.* exclude (old_bytes, new_bytes),
    case
        when not was_there then 'new'
        when not is_there and old_value is null then 'row_gone'
        when new_value is null and old_value is not null then 'withdrawn'
        when old_value is null and new_value is not null then 'filled'
        when has_other_value then 'revised'
        when old_status is distinct from new_status then 'status_changed'
        else 'interval_revised'
    end as kind,
    case
        when not was_there and coalesce(held_bytes.was_held, false) then 'method'
        when not was_there then 'new_data'
        when is_there and old_bytes = new_bytes then 'method'
        when not is_there and coalesce(used_bytes.is_used, false) then 'method'
        when old_value is null and new_value is not null then 'new_data'
        else 'revision'
    end as cause
from paired
left join held_bytes on held_bytes.payload_sha256 = paired.new_bytes
left join used_bytes on used_bytes.payload_sha256 = paired.old_bytes
where not was_there or not is_there or has_other_value or has_other_interval or old_status is distinct from new_status
"""
_NO_CHANGE = """
create or replace temp table figure_change (
    area_code varchar, indicator_id varchar, period varchar, was_there boolean, is_there boolean, old_value double,
    new_value double, old_status varchar, new_status varchar, has_other_value boolean, has_other_interval boolean,
    kind varchar, cause varchar
)
"""
_REVISION = f"""
with area as (
    select area_code::varchar as area_code, area_name, level from {NEW}.dim_area
),

indicator as (
    select indicator_id::varchar as indicator_id, title, unit, is_computed from {NEW}.dim_indicator
),

held as (
    select distinct indicator_id::varchar as indicator_id from {NEW}.fct_observation
),

figure as (
    select
        area_code::varchar as area_code,
        indicator_id::varchar as indicator_id,
        period, year, {{is_made}} as is_made_here
    from {{row_alias}}.fct_observation
)

select
    change.area_code,
    area.area_name,
    area.level,
    change.indicator_id,
    indicator.title as indicator_title,
    indicator.unit,
    change.period,
    figure.year,
    change.kind,
    case change.cause when 'method' then 'method' else 'publisher' end as cause,
    indicator.is_computed or figure.is_made_here as is_derived,
    change.old_value,
    change.new_value,
    change.new_value - change.old_value as difference,
    case when change.old_value <> 0
        then 100 * (change.new_value - change.old_value) / abs(change.old_value)
    end as difference_percent,
    change.old_status,
    change.new_status
from figure_change as change
inner join area using (area_code)
inner join indicator using (indicator_id)
inner join held using (indicator_id)
inner join figure using (area_code, indicator_id, period)
where change.kind not in ('new', 'row_gone') and {{which}}
order by change.indicator_id, change.period, change.area_code
"""
_COUNTS = """
select
    count(*) filter (where kind = 'new' and new_value is not null),
    count(*) filter (where kind = 'filled'),
    list(distinct cause)
from figure_change
"""


@dataclass(frozen=True)
class FigureChanges:
    """How figures differ. ``revisions``: one row for each figure that existed and has changed (columns of
    mart_revision except the release); ``new_figures``: number of figures in new rows; ``causes``: the causes found."""

    revisions: pa.Table
    new_figures: int
    causes: frozenset[str]


def can_compare_figures(old: Contents, new: Contents) -> bool:
    """Whether both files have figures with the columns that a comparison needs."""
    areas, indicators = ("area_code", "area_name", "level"), ("indicator_id", "title", "unit", "is_computed")
    return all(
        file.has("fct_observation", *NEEDED) and file.has("dim_area", *areas) and file.has("dim_indicator", *indicators)
        for file in (old, new)
    )


def figure_changes(
    connection: duckdb.DuckDBPyConnection, old: Contents, new: Contents, *, are_equal: bool
) -> FigureChanges:
    """Compare every figure of the two files; leaves a temp table ``figure_change`` for the split of score movements.

    ``are_equal`` says that the tables are known to hold the same figures, so that no search is needed.
    """
    if are_equal:
        connection.execute(_NO_CHANGE)
    else:
        bounds = [
            n for n in ("lower", "upper", "standard_error") if all(f.has("fct_observation", n) for f in (old, new))
        ]
        differs = " or ".join(f"old_figure.{name} is distinct from new_figure.{name}" for name in bounds) or "false"
        names = ", ".join(bounds) or "null as no_interval"
        connection.execute(_HELD_BYTES)
        connection.execute(_USED_BYTES)
        connection.execute(
            _FIGURE_CHANGE.format(old_interval=names, new_interval=names, has_other_interval=f"({differs})")
        )
    row = first_row(connection, _COUNTS) or (0, 0, None)
    return FigureChanges(_revisions(connection, old, new), int(row[0]), frozenset(row[2] or ()))


def _revisions(connection: duckdb.DuckDBPyConnection, old: Contents, new: Contents) -> pa.Table:
    """Rows still there, then those that are gone, in key order."""
    parts = []
    for alias, file, which in ((NEW, new, "change.is_there"), (OLD, old, "not change.is_there")):
        is_made = "source_row is null" if file.has("fct_observation", "source_row") else "false"
        parts.append(connection.sql(_REVISION.format(is_made=is_made, row_alias=alias, which=which)).to_arrow_table())
    return pa.concat_tables(parts).sort_by(
        [("indicator_id", "ascending"), ("period", "ascending"), ("area_code", "ascending")]
    )


def can_rescore(old: Contents, new: Contents) -> bool:
    """Whether both files have the columns that scoring needs."""
    return all(file.has("fct_observation", *NEEDED, *_INPUTS_OF_SCORES) for file in (old, new))


def figures_after(connection: duckdb.DuckDBPyConnection, causes: frozenset[str]) -> pa.Table:
    """The old file's figures with only the changes from some ``causes`` applied, as input for scoring.

    Columns: ``area_code, indicator_id, period_end, year, value, standard_error, status``.
    """
    columns = (
        "area_code::varchar as area_code, indicator_id::varchar as indicator_id, period, period_end, year, value, "
    )
    columns += "standard_error, status"
    listed = ", ".join(f"'{cause}'" for cause in sorted(causes))
    return connection.sql(
        f"""
        with change as (
            select area_code, indicator_id, period from figure_change where cause in ({listed})
        ),
        old_figure as (select {columns} from {OLD}.fct_observation),
        new_figure as (select {columns} from {NEW}.fct_observation)
        select * exclude (period) from old_figure anti join change using (area_code, indicator_id, period)
        union all
        select * exclude (period) from new_figure semi join change using (area_code, indicator_id, period)
        """
    ).to_arrow_table()
