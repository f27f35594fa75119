"""Compare a new file with the live one: each function measures one thing and judges it by its limits.

Every function takes a connection to the new file with the live one attached as ``live``. Both have the tables of
``pipeline/marts/tables.yaml``. Findings are returned worst first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, cast

import duckdb

from pipeline.gates.policy import Gate, GatePolicy
from pipeline.numerals import times

Severity = Literal["warn", "refuse"]


@dataclass(frozen=True)
class Finding:
    """A gate's finding: ``measured`` and ``allowed`` are in the gate's own unit; the sentence puts it in words."""

    gate_id: str
    severity: Severity
    subject: str
    measured: float
    allowed: float
    sentence: str


def judged(gate_id: str, gate: Gate, subject: str, measured: float, sentence: str) -> list[Finding]:
    """One finding if the measure is above a limit of the gate, else none."""
    severity = gate.severity(measured)
    if severity is None:
        return []
    allowed = gate.refuse_above if severity == "refuse" and gate.refuse_above is not None else gate.warn_above
    return [Finding(gate_id, cast(Severity, severity), subject, measured, allowed, sentence)]


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """Refusals first, then by gate, largest first."""
    return sorted(findings, key=lambda f: (f.severity != "refuse", f.gate_id, -f.measured, f.subject))


# ``of`` is what a district has figures or scores of: a column of ``table``.
_DISTRICTS_LOST = """
with held as (
    select {of}::varchar as of_which, area_code::varchar as area_code, any_value(area_name) as area_name
    from live.{table} where {where} group by 1, 2
),
new as (
    select distinct {of}::varchar as of_which, area_code::varchar as area_code from {table} where {where}
)
select
    held.of_which,
    count(*) as held_count,
    count(*) filter (where new.area_code is null) as lost_count,
    list(held.area_name order by held.area_name) filter (where new.area_code is null) as lost_names
from held left join new using (of_which, area_code)
group by held.of_which
having lost_count > 0
order by held.of_which
"""
_FIGURES_LOST = _DISTRICTS_LOST.format(
    of="indicator_id", table="fct_observation", where="level = 'district' and value is not null"
)
_SCORES_LOST = _DISTRICTS_LOST.format(of="framework_id", table="mart_score", where="depth = 0 and level = 'district'")


def districts_lost(connection: duckdb.DuckDBPyConnection, policy: GatePolicy) -> list[Finding]:
    """Districts that had a figure of an indicator and now have none, and districts no longer scored.

    An indicator that is gone has lost all of its districts.
    """
    found = []
    for indicator, held, lost, names in connection.execute(_FIGURES_LOST).fetchall():
        sentence = f"{indicator}: {lost} of {held} districts no longer have a figure ({some(names)})"
        found += judged("districts_lost", policy.districts_lost(indicator), indicator, lost / held, sentence)
    for framework, held, lost, names in connection.execute(_SCORES_LOST).fetchall():
        sentence = f"{framework}: {lost} of {held} districts scored before are no longer scored ({some(names)})"
        found += judged("districts_lost", policy.defaults.districts_lost, framework, lost / held, sentence)
    return worst_first(found)


_ROWS_OF_INDICATORS = """
select
    held.indicator_id,
    held.row_count as held_count,
    coalesce(new.row_count, 0) as new_count
from (
    select indicator_id::varchar as indicator_id, count(value) as row_count from live.fct_observation group by 1
) as held
left join (
    select indicator_id::varchar as indicator_id, count(value) as row_count from fct_observation group by 1
) as new using (indicator_id)
where new_count < held_count
order by held.indicator_id
"""
_COUNTED_TABLES = ("dim_area", "dim_indicator", "fct_observation", "mart_score", "mart_area_profile")


def rows_down(connection: duckdb.DuckDBPyConnection, policy: GatePolicy) -> list[Finding]:
    """Indicators with fewer figures, and main tables with fewer rows, than in the live file."""
    found = []
    for indicator, held, new in connection.execute(_ROWS_OF_INDICATORS).fetchall():
        sentence = f"{indicator}: {new:,} figures, {held - new:,} fewer than the {held:,} in the live file"
        found += judged("rows_down", policy.rows_down(indicator), indicator, 1 - new / held, sentence)
    for table in _COUNTED_TABLES:
        counts = connection.execute(f"select (select count(*) from live.{table}), count(*) from {table}").fetchone()
        held, new = counts or (0, 0)
        if new < held:
            sentence = f"{table}: {new:,} rows, {held - new:,} fewer than the {held:,} in the live file"
            found += judged("rows_down", policy.defaults.rows_down, table, 1 - new / held, sentence)
    return worst_first(found)


# One row is one indicator whose live figures came from a publisher's answer and whose new figures are the shipped ones,
# as happens when the raw store is lost. It counts the figures that would change or disappear.
_WENT_BACK = """
with back as (
    select distinct new.indicator_id::varchar as indicator_id
    from meta_source as new
    inner join live.meta_source as old using (indicator_id, part_id)
    where new.tier = 'baseline' and old.tier in ('live', 'snapshot', 'release')
)
select
    old.indicator_id::varchar as indicator_id,
    count(*) as held_count,
    count(*) filter (where new.value is distinct from old.value) as changed_count
from live.fct_observation as old
semi join back on old.indicator_id::varchar = back.indicator_id
left join fct_observation as new
    on old.indicator_id::varchar = new.indicator_id::varchar
    and old.area_code::varchar = new.area_code::varchar
    and old.period = new.period
where old.value is not null
group by 1
having changed_count > 0
order by 1
"""


def went_back(connection: duckdb.DuckDBPyConnection, policy: GatePolicy) -> list[Finding]:
    """Indicators whose published answers are no longer held, so that older shipped figures would replace them."""
    found = []
    for indicator, held, changed in connection.execute(_WENT_BACK).fetchall():
        sentence = (
            f"{indicator}: the answers it was published from are no longer held (data/raw), and the figures shipped "
            f"with the project would change or remove {changed:,} of {held:,}; restore data/raw or run with the publishers"
        )
        found += judged("went_back", policy.went_back(indicator), indicator, changed / held, sentence)
    return worst_first(found)


# One row is the typical district of one indicator, nation and year in each of the two files, the live file's move from
# the year before, and whether the year is new. Moves are shares for money and ratios, points for percentages and years.
# `nation_code` is empty unless the nations measure an indicator differently.
_MEDIANS = """
with live_median as (
    select indicator_id::varchar as indicator_id, nation_code, year, typical_value from {live_typical}
),
history as (
    select
        indicator_id,
        nation_code,
        typical_value,
        lag(typical_value) over (partition by indicator_id, nation_code order by year) as before,
    from live_median
),
usual as (
    select
        indicator_id,
        nation_code,
        count(before) as move_count,
        max(abs(typical_value - before)) as largest_points,
        max(abs(typical_value / nullif(before, 0) - 1)) as largest_share
    from history group by indicator_id, nation_code
),
compared as (
    select
        new.indicator_id::varchar as indicator_id,
        new.nation_code,
        new.nation_name,
        new.year,
        new.typical_value as new_value,
        live_median.typical_value is null as is_new,
        coalesce(
            live_median.typical_value,
            lag(new.typical_value) over (partition by new.indicator_id, new.nation_code order by new.year)
        ) as reference
    from mart_typical as new
    left join live_median
        on new.indicator_id = live_median.indicator_id
        and new.nation_code = live_median.nation_code
        and new.year = live_median.year
)
select
    indicator_id, nation_name, year, is_new, new_value, reference, coalesce(move_count, 0),
    largest_points, largest_share, transform = 'difference' as is_points, decimals
from compared
left join usual using (indicator_id, nation_code)
join dim_indicator using (indicator_id)
where reference is not null and new_value <> reference
order by indicator_id, nation_code, year
"""
# The live file predates mart_typical.
_TYPICAL_OF_OLD = """(
    select indicator_id, '' as nation_code, year, median(value) as typical_value
    from live.fct_observation
    where value is not null and area_code in (select area_code from live.dim_area where is_scored)
    group by indicator_id, year
)"""
_HAS_TYPICAL = "select count(*) > 0 from duckdb_tables() where database_name = 'live' and table_name = 'mart_typical'"


def medians_moved(connection: duckdb.DuckDBPyConnection, policy: GatePolicy) -> list[Finding]:
    """Typical districts (medians) that moved by more than their history allows, into a new year or by a revision."""
    found = []
    [(has_typical,)] = connection.execute(_HAS_TYPICAL).fetchall()
    sql = _MEDIANS.format(live_typical="live.mart_typical" if has_typical else _TYPICAL_OF_OLD)
    for row in connection.execute(sql).fetchall():
        indicator, nation, year, is_new, new, reference, moves, largest_points, largest_share, is_points, decimals = row
        gate = policy.median_moved(indicator)
        knows = moves >= gate.fewest_years
        if is_points or reference == 0:
            move, usual, unit = abs(new - reference), largest_points if knows else gate.usual_move_points, "points"
        else:
            move, usual, unit = abs(new / reference - 1), largest_share if knows else gate.usual_move, "share"
        if not usual:
            usual = gate.usual_move_points if unit == "points" else gate.usual_move
        against = "the year before it" if is_new else "the same year in the live file"
        basis = "its largest move from year to year" if knows else "the usual move (too few years to know its own)"
        sentence = (
            f"{indicator}: the typical district of {f'{nation} in ' if nation else ''}{year} is {new:,.{decimals}f}, {reference:,.{decimals}f} in {against}: "
            f"{times(move / usual)} {basis}"
        )
        found += judged(
            "median_moved", gate, " ".join(filter(None, (indicator, nation, str(year)))), move / usual, sentence
        )
    return worst_first(found)


_OVERDUE = """
select indicator_id, release_id, latest_period_end, next_expected_on
from meta_source where release_status = 'overdue' order by indicator_id, part_id
"""


def too_old(
    connection: duckdb.DuckDBPyConnection, policy: GatePolicy, *, today: date, grace_days: Mapping[str, int]
) -> list[Finding]:
    """Releases later than their calendar and grace allow, one finding for each release. Needs no live file.

    ``grace_days`` gives the grace of each release.
    """
    late: dict[tuple[str, date, Gate], dict[str, date]] = {}
    for indicator, release, latest, expected in connection.execute(_OVERDUE).fetchall():
        late.setdefault((release, expected, policy.too_old(indicator)), {})[indicator] = latest
    found = []
    for (release, expected, gate), latest_of in late.items():
        latest = max(latest_of.values())
        sentence = (
            f"{release}: the figures after {latest} were expected on {expected} and have not arrived "
            f"({some(list(latest_of))})"
        )
        days = (today - expected).days - grace_days.get(release, 0)
        found += judged("too_old", gate, f"{release}, {latest}", days, sentence)
    return worst_first(found)


def some(names: Sequence[str], most: int = 3) -> str:
    """The first few names, separated by semicolons: "Bristol, City of" is one place."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ("; " if any("," in name for name in names[:most]) else ", ").join(names[:most]) + more
