"""Whole refreshes, on all real figures: offline from the baseline, and over HTTP from the stand-in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from pipeline.run.context import Run, open_run
from pipeline.run.refresh import Outcome, refresh
from tests.quick import quick
from tests.run.publishers import published_figures
from tests.standin.figures import SHARED_DATA, figures_of
from tests.standin.server import StandIn
from tests.standin.short import short_catalogue

pytestmark = pytest.mark.slow


def tiers(outcome: Outcome) -> dict[str, set[str]]:
    """Tier -> the indicators that came from it."""
    found: dict[str, set[str]] = {}
    for result in outcome.results:
        found.setdefault(result.tier, set()).add(result.indicator_id)
    return found


def read(path: Path, sql: str) -> list[tuple]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(sql).fetchall()


@pytest.fixture(scope="module")
def standin() -> Iterator[StandIn]:
    with StandIn() as running:
        yield running


@pytest.fixture(scope="module")
def live_run(standin: StandIn, tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Outcome]:
    """One refresh over HTTP of the whole (shortened) catalogue."""
    context = live_context(standin, tmp_path_factory.mktemp("live"))
    return context, refresh(context)


def live_context(standin: StandIn, folder: Path) -> Run:
    settings = quick(data_dir=folder, base_urls=standin.base_urls)
    return open_run(settings, catalogue=short_catalogue(), throttle=False, backoff_seconds=0.01, draws=0)


def test_offline_every_part_comes_from_the_baseline_and_says_so(offline_run: tuple[Run, Outcome]) -> None:
    outcome = offline_run[1]
    assert outcome.is_new
    assert set(tiers(outcome)) == {"baseline", "none"}
    assert not outcome.missing
    assert not outcome.failures


def test_over_http_every_live_query_answers_and_the_figures_are_the_publishers(
    standin: StandIn, live_run: tuple[Run, Outcome], publishers_files: Path
) -> None:
    context, outcome = live_run
    assert {(r.indicator_id, r.part_id): r.tier for r in outcome.results} == {
        (indicator.id, part.id): "live" if part.live else "baseline"
        for indicator in context.inputs.catalogue.collected
        for part in indicator.parts
    }
    recorded = (publishers_files / "els-api/data_csv/022_gross-median-weekly-pay-status.body").read_text()
    expected = {
        (area, float(value))
        for area, _, period, value, *_ in (line.split(",") for line in recorded.splitlines() if '"' not in line)
        if period == "2025-04-30" and value
    }
    published = set(
        read(
            context.settings.database,
            "select unnest(string_split(source_area_codes, '+')), value from fct_observation "
            "where indicator_id = 'pay_median_weekly' and year = 2025 and value is not null",
        )
    )
    assert {pair for pair in expected if pair[0][0] in "EWSN" and not pair[0].startswith("E08")} <= published
    again = refresh(live_context(standin, context.settings.data_dir))
    assert not again.is_new


def test_every_wider_area_and_district_has_the_published_figure_wherever_there_is_one(
    live_run: tuple[Run, Outcome],
) -> None:
    """Of Explore Local Statistics and of Nomis, as the stand-in speaks them (from today's source files, where at hand)."""
    context = live_run[0]
    published = published_figures(context, figures_of(SHARED_DATA))
    file = {
        (indicator, area, start.isoformat()): value
        for indicator, area, start, value in read(
            context.settings.database,
            "select indicator_id::varchar, area_code::varchar, period_start, value from fct_observation",
        )
    }
    differences = {
        cell: (value, file.get(cell)) for cell, value in published.items() if file.get(cell) != pytest.approx(value)
    }
    assert differences == {}
    levels = {area: context.inputs.register.by_code[area].level for _, area, _ in published}
    counts = Counter(levels[area] for _, area, _ in published)
    assert counts["district"] > 150_000
    for level in ("county", "combined_authority", "region", "nation", "country"):
        assert counts[level] > 1_500, level


def test_great_britains_pay_and_a_countys_are_the_official_ones_with_their_intervals(
    live_run: tuple[Run, Outcome], publishers_files: Path
) -> None:
    [(pay, lower, upper, rule)] = read(
        live_run[0].settings.database,
        "select value, round(lower, 1), round(upper, 1), geography_rule from fct_observation "
        "where indicator_id = 'pay_median_weekly' and area_code = 'K03000001' and year = 2025",
    )
    assert (pay, lower, upper, rule) == (644.9, 642.4, 647.4, "as_published")
    county = read(
        live_run[0].settings.database,
        "select value, geography_rule, source_id from fct_observation "
        "where indicator_id = 'pay_annual_median' and area_code = 'E10000031' and year = 2025",
    )
    assert county == [(35621, "as_published", "nomis")]


def test_northern_irelands_districts_keep_their_figures_beside_nomiss_blank_rows(
    live_run: tuple[Run, Outcome],
) -> None:
    counts = read(
        live_run[0].settings.database,
        "select indicator_id::varchar, count(value), count(*) from fct_observation where area_code like 'N09%' "
        "and indicator_id in ('employment_rate', 'economic_inactivity_rate', 'jobs_density') and year = 2023 "
        "group by 1 order by 1",
    )
    assert counts == [("economic_inactivity_rate", 11, 11), ("employment_rate", 11, 11), ("jobs_density", 0, 11)]
    aside = read(
        live_run[0].settings.database,
        "select count(distinct area_code) from meta_quarantine where indicator_id = 'employment_rate' "
        "and reason like 'this part of the indicator speaks for districts of England, Wales, Scotland only'",
    )
    assert aside == [(11,)]
