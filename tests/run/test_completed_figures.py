"""Where today's answer lacks wider areas, the published figures that are shipped stand, not means of districts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from pipeline.catalogue import load_catalogue
from pipeline.publishers.baseline.shipped_figures import Baseline
from pipeline.run.assemble import Assembled, assemble
from pipeline.run.context import Run, open_run
from pipeline.run.input_fingerprint import fingerprint
from pipeline.run.refresh import acquire_all
from pipeline.run.shipped import shipped_entry
from pipeline.run.sources_table import source_rows
from pipeline.settings import Settings
from tests.standin.server import StandIn

PAY, WARWICKSHIRE = "pay_annual_median", "E10000031"


@pytest.fixture
def standin() -> Iterator[StandIn]:
    with StandIn() as running:
        yield running


def open_live(standin: StandIn, folder: Path, *names: str) -> Run:
    """A run that collects only some indicators."""
    whole = load_catalogue()
    catalogue = replace(whole, indicators={name: whole.indicators[name] for name in names})
    settings = Settings(data_dir=folder, base_urls=standin.base_urls)
    return open_run(settings, catalogue=catalogue, throttle=False, backoff_seconds=0.01, draws=0)


def of_area(assembled: Assembled, area: str, year: int) -> pd.Series:
    rows = assembled.observations
    [(_, row)] = rows[rows["area_code"].eq(area) & rows["year"].eq(year)].iterrows()
    return row


def test_a_county_that_nomis_does_not_list_keeps_its_shipped_figure_and_says_where_it_is_from(
    standin: StandIn, tmp_path: Path
) -> None:
    standin.faults.switch_on("html_200", "geography/TYPE.def")
    context = open_live(standin, tmp_path, PAY)
    results = acquire_all(context)
    assembled = assemble(context.inputs, context.stores, results)
    row = of_area(assembled, WARWICKSHIRE, 2025)
    assert (row["value"], row["geography_rule"], row["source_id"]) == (35621, "as_published", "baseline")
    assert pd.isna(row["lower"])
    leeds = of_area(assembled, "E08000035", 2025)
    assert (leeds["source_id"], leeds["period"]) == ("nomis", row["period"])
    made = of_area(assembled, "E47000001", 2025)
    assert (made["status"], made["geography_rule"]) == ("estimated", "aggregate_population_weighted")
    assert made[["lower", "upper", "standard_error"]].isna().all(), "a mean of medians has no interval"

    [completion] = assembled.completions
    entry = shipped_entry(context.stores.baseline, PAY, "main")
    assert entry is not None
    sources = source_rows(
        context.inputs.catalogue,
        context.inputs.calendar,
        context.stores.baseline,
        results,
        assembled.completions,
        context.started_at,
    ).set_index("part_id")
    assert sources.loc["main_wider_areas", ["tier", "payload_sha256"]].tolist() == ["baseline", entry.sha256]
    assert (row["payload_sha256"], row["edition"]) == (entry.sha256, entry.edition)
    assert sources.loc["main_wider_areas", "row_count"] == completion.row_count > 100
    assert assembled.account["rows of the shipped edition for what today's answers lack"] == completion.row_count


def test_a_county_in_todays_answer_is_taken_from_it_and_nothing_is_completed(standin: StandIn, tmp_path: Path) -> None:
    context = open_live(standin, tmp_path, PAY)
    assembled = assemble(context.inputs, context.stores, acquire_all(context))
    row = of_area(assembled, WARWICKSHIRE, 2025)
    assert (row["value"], row["geography_rule"], row["source_id"]) == (35621, "as_published", "nomis")
    assert assembled.completions == ()


def test_an_answer_that_lacks_counties_it_had_before_is_held_back(standin: StandIn, tmp_path: Path) -> None:
    first = acquire_all(open_live(standin, tmp_path, PAY))
    standin.faults.switch_on("html_200", "geography/TYPE.def")
    context = open_live(standin, tmp_path, PAY)
    [result] = acquire_all(replace(context, options=replace(context.options, force=True)))
    assert (result.tier, result.payload_sha256) == ("snapshot", first[0].payload_sha256)
    [sentence] = result.failures
    assert "figures held before have no row in it any more, first E10000003" in sentence
    assert f'python -m pipeline accept nomis/{PAY} "REASON"' in sentence


def test_the_file_depends_on_the_shipped_edition_beside_an_answer(standin: StandIn, tmp_path: Path) -> None:
    context = open_live(standin, tmp_path, PAY)
    results = acquire_all(context)
    without = replace(context.stores, baseline=Baseline(tmp_path / "nothing is shipped"))
    catalogue, scoring = context.inputs.catalogue, context.scoring
    assert fingerprint(catalogue, context.stores, scoring, results) != fingerprint(catalogue, without, scoring, results)
