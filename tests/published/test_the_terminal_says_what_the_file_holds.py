"""Every number the terminal prints for every district is the one the marts hold, and its words are the verdicts of the file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import duckdb
import pytest

from pipeline.published.profile import profile_of

pytestmark = pytest.mark.slow

Rows = Callable[..., list[tuple]]

# Straight from the tables, not through the views that the terminal reads.
_SCORES = """
with latest as (
    select flavour, window_years, max(year) as year
    from mart_score
    where framework_id = 'shared_growth' and depth = 0 and window_years in (0, 10)
    group by all
)
select
    score.area_code::varchar, score.flavour::varchar, score.node_title::varchar, score.score, score.score_lower,
    score.score_upper, score.verdict, score.rank, score.rank_lower, score.rank_upper, score.rank_count,
    score.is_band, score.weight_with_error
from mart_score as score
inner join latest using (flavour, window_years, year)
inner join dim_area as area on area.area_code = score.area_code
where score.framework_id = 'shared_growth' and score.node_kind <> 'indicator' and area.is_scored
"""
_FIGURES = """
with figure as (
    select
        observation.area_code::varchar as area_code, observation.indicator_id::varchar as indicator_id,
        observation.indicator_title::varchar as title, observation.year, observation.value, observation.lower,
        observation.upper, area.is_scored,
        if(
            observation.indicator_id in (
                select node_id from dim_node where compared_within = 'nation'
                union
                select child.node_id
                from dim_node as child
                inner join dim_node as parent
                    on child.framework_id = parent.framework_id and child.parent_node_id = parent.node_id
                where parent.compared_within = 'nation'
            ),
            area.nation_code, ''
        ) as nation
    from fct_observation as observation
    inner join dim_area as area using (area_code)
    where area.level = 'district' and observation.value is not null
    qualify row_number() over (
        partition by observation.area_code, observation.indicator_id, observation.year
        order by observation.period_end desc, observation.period_start desc
    ) = 1
),

typical as (
    select indicator_id, nation, year, median(value) as typical
    from figure
    where is_scored
    group by indicator_id, nation, year
)

select figure.area_code, figure.title, figure.year, figure.value, figure.lower, figure.upper, typical.typical,
    indicator.decimals
from figure
inner join dim_indicator as indicator using (indicator_id)
left join typical using (indicator_id, nation, year)
qualify row_number() over (partition by figure.area_code, figure.indicator_id order by figure.year desc) = 1
"""
_SCORE_LINE = re.compile(
    r"^ {2,}(?P<title>\S.*?)\s{2,}(?P<score>\d+) +(?P<interval>\d+ to \d+[* ]?|not known) +(?P<points>[+-]?\d+)? +"
    r"(?P<verdict>(?:clearly|probably) (?:above|below)|cannot say|not known)"
    r" +(?P<rank>not known|\d[\d ]* of \d+(?: \(\d+ to \d+\))?|\d+ to \d+ of \d+)"
)
_FIGURE_LINE = re.compile(
    r"^  (?P<title>\S.*?): +(?P<value>-?[\d,.]+)[†‡§¶#]?(?: \((?P<lower>-?[\d,.]+) to (?P<upper>-?[\d,.]+)\))? [^;\d]*.*?, "
    r"(?P<year>\d{4})(?:, [a-z ]+)?(?:; typical (?P<typical>-?[\d,.]+))?"
)


@pytest.fixture(scope="module")
def profiles(published_file: duckdb.DuckDBPyConnection) -> dict[str, str]:
    codes = [code for (code,) in published_file.execute("select area_code from dim_area where is_scored").fetchall()]
    return {code: profile_of(published_file, code) for code in codes}


@pytest.fixture(scope="module")
def published_file(offline_run: tuple) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(offline_run[0].settings.database), read_only=True) as connection:
        yield connection


def test_every_score_interval_rank_and_verdict_of_every_district_is_the_marts(
    profiles: dict[str, str], published_file: duckdb.DuckDBPyConnection
) -> None:
    held = {row[:3]: row[3:] for row in published_file.execute(_SCORES).fetchall()}
    printed = {}
    for code, text in profiles.items():
        blocks = text.split("Latest figures, and")[0].split("Where it has been heading")
        for flavour, block in zip(("level", "change"), blocks, strict=True):
            for line in block.splitlines():
                if found := _SCORE_LINE.match(line):
                    printed[code, flavour, found["title"]] = found.groupdict()
    assert printed.keys() == held.keys()
    different = [
        (key, printed[key], row)
        for key, row in held.items()
        if printed[key] != {"title": key[2], "points": printed[key]["points"], **_as_printed(row)}
    ]
    assert different == []
    assert len(held) > 359 * 14


def _as_printed(row: tuple) -> dict[str, str | None]:
    score, lower, upper, verdict, rank, rank_lower, rank_upper, rank_count, is_band, weight = row
    star = "*" if weight < 1 - 1e-9 else " "
    interval = "not known" if lower is None else f"{lower:.0f} to {upper:.0f}{star}"
    place = "not known"
    if rank is not None:
        ends = f"{rank_lower} to {rank_upper}"
        place = f"{ends} of {rank_count}" if is_band else f"{rank} of {rank_count} ({ends})"
        if rank_lower == rank_upper:
            place = f"{rank} of {rank_count}"
    return {"score": f"{score:.0f}", "interval": interval, "verdict": verdict, "rank": place}


def test_every_latest_figure_and_typical_district_of_every_district_is_the_marts(
    profiles: dict[str, str], published_file: duckdb.DuckDBPyConnection
) -> None:
    held = {row[:2]: row[2:] for row in published_file.execute(_FIGURES).fetchall() if row[0] in profiles}
    printed = {}
    for code, text in profiles.items():
        for line in text.split("(its median) in the same year")[1].splitlines():
            if (found := _FIGURE_LINE.match(line)) and not line.endswith("no figure"):
                printed[code, found["title"]] = found.groupdict()
    assert printed.keys() == held.keys()
    different = []
    for key, (year, value, lower, upper, typical, decimals) in held.items():
        wanted = {"title": key[1], "year": str(year)} | {
            name: None if number is None else f"{number:,.{decimals}f}"
            for name, number in (("value", value), ("lower", lower), ("upper", upper), ("typical", typical))
        }
        if printed[key] != wanted:
            different.append((key, printed[key], wanted))
    assert different == []
    assert len(held) > 10_000


def test_anglesey_is_set_beside_the_typical_district_of_wales(
    profiles: dict[str, str], published_file: duckdb.DuckDBPyConnection
) -> None:
    [(code,)] = published_file.execute("select area_code from dim_area where area_name = 'Isle of Anglesey'").fetchall()
    [line] = [line for line in profiles[code].splitlines() if "Income deprivation gap" in line]
    assert "20.4# percentage points, 2019; typical 20.9" in line, "16.5 is the median over all nations and years"
