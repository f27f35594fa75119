"""A new file is held against the live one: what is out of the ordinary warns, what is worse is refused, all in words."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pytest

from pipeline.catalogue import CatalogueError, load_catalogue
from pipeline.catalogue.load import CATALOGUE_DIR
from pipeline.gates import (
    Finding,
    GatePolicy,
    accept_findings,
    districts_lost,
    load_gate_policy,
    medians_moved,
    record_findings,
    recorded_findings,
    rows_down,
    too_old,
)
from pipeline.run.context import Run
from pipeline.run.refresh import Outcome

Change = Callable[[str], None]


@pytest.fixture
def policy() -> GatePolicy:
    return load_gate_policy(load_catalogue().indicators)


@pytest.fixture
def compared(offline_run: tuple[Run, Outcome], tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A new file, free to change, with an equal live one attached."""
    live = offline_run[0].settings.database
    new = tmp_path / "new.duckdb"
    shutil.copy(live, new)
    with duckdb.connect(str(new)) as connection:
        connection.execute(f"attach '{live}' as live (read_only)")
        yield connection


def only(findings: list[Finding], subject: str) -> Finding:
    (found,) = [finding for finding in findings if finding.subject == subject]
    return found


def test_an_equal_file_has_nothing_to_find(compared: duckdb.DuckDBPyConnection, policy: GatePolicy) -> None:
    assert districts_lost(compared, policy) == []
    assert rows_down(compared, policy) == []
    assert medians_moved(compared, policy) == []


@pytest.mark.parametrize(("count", "severity"), [(1, "warn"), (3, "warn"), (4, "refuse")])
def test_districts_without_figures_are_named_and_more_than_one_in_a_hundred_refused(
    compared: duckdb.DuckDBPyConnection, policy: GatePolicy, count: int, severity: str
) -> None:
    compared.execute(
        "delete from fct_observation where indicator_id = 'gdhi_per_head' and area_code in (select area_code from "
        f"dim_area where level = 'district' order by area_name limit {count})"
    )
    found = only(districts_lost(compared, policy), "gdhi_per_head")
    assert found.severity == severity
    assert found.measured == pytest.approx(count / 361)
    assert found.sentence.startswith(f"gdhi_per_head: {count} of 361 districts no longer have a figure (Aberdeen City")


def test_a_place_whose_name_has_a_comma_is_one_place(compared: duckdb.DuckDBPyConnection, policy: GatePolicy) -> None:
    compared.execute(
        "delete from fct_observation where indicator_id = 'gva_per_hour' and area_name in ('Bristol, City of', 'Bury')"
    )
    assert "(Bristol, City of; Bury)" in only(districts_lost(compared, policy), "gva_per_hour").sentence


def test_every_gate_can_warn_or_refuse_for_one_indicator_alone(
    compared: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """By the catalogue: what only warns for all is refused for one, and what is refused for all only warns for one."""
    text = (CATALOGUE_DIR / "gates.yaml").read_text().split("indicators:")[0]
    own = """indicators:
  gdhi_per_head: {districts_lost: {warn_above: 1}, rows_down: {warn_above: 1}, too_old: {warn_above: 0, refuse_above: 0}}
  gva_per_hour: {districts_lost: {warn_above: 0, refuse_above: 0}}
"""
    (tmp_path / "gates.yaml").write_text(text + own)
    policy = load_gate_policy(load_catalogue().indicators, tmp_path / "gates.yaml")
    compared.execute(
        "delete from fct_observation where (indicator_id = 'gdhi_per_head' and area_name like 'B%') "
        "or (indicator_id = 'gva_per_hour' and area_name = 'Bury')"
    )
    assert [f.subject for f in districts_lost(compared, policy) if f.severity == "refuse"] == ["gva_per_hour"]
    assert "gdhi_per_head" not in [f.subject for f in rows_down(compared, policy)]
    compared.execute(
        "update meta_source set release_status = 'overdue', next_expected_on = date '2026-09-11' "
        "where latest_period_end is not null"
    )
    refused = [f for f in too_old(compared, policy, today=date(2026, 12, 1), grace_days={}) if f.severity == "refuse"]
    assert ["gdhi_per_head" in f.sentence for f in refused] == [True]


def test_a_suppressed_figure_is_no_figure(compared: duckdb.DuckDBPyConnection, policy: GatePolicy) -> None:
    compared.execute("update fct_observation set value = null where indicator_id = 'gdhi_per_head'")
    assert only(districts_lost(compared, policy), "gdhi_per_head").measured == 1
    assert only(rows_down(compared, policy), "gdhi_per_head").severity == "refuse"


def test_districts_that_are_not_scored_any_more_are_refused(
    compared: duckdb.DuckDBPyConnection, policy: GatePolicy
) -> None:
    compared.execute("delete from mart_score where framework_id = 'shared_growth' and area_name like 'B%'")
    found = only(districts_lost(compared, policy), "shared_growth")
    assert found.severity == "refuse"
    assert "are no longer scored (Babergh, Barking and Dagenham, Barnet and " in found.sentence


@pytest.mark.parametrize(("years", "severity"), [(1, "warn"), (3, "refuse")])
def test_fewer_figures_than_before_warn_and_many_fewer_are_refused(
    compared: duckdb.DuckDBPyConnection, policy: GatePolicy, years: int, severity: str
) -> None:
    compared.execute(f"delete from fct_observation where indicator_id = 'gdhi_per_head' and year < 1997 + {years}")
    assert only(rows_down(compared, policy), "gdhi_per_head").severity == severity


@pytest.mark.parametrize(("factor", "severity"), [(1.02, None), (1.12, "warn"), (1.4, "refuse"), (0.6, "refuse")])
def test_a_revised_median_is_measured_against_its_own_history(
    compared: duckdb.DuckDBPyConnection, policy: GatePolicy, factor: float, severity: str | None
) -> None:
    compared.execute(
        f"update mart_typical set typical_value = typical_value * {factor} "
        "where indicator_id = 'gdhi_per_head' and year = 2023"
    )
    found = [f for f in medians_moved(compared, policy) if f.subject == "gdhi_per_head 2023"]
    assert [f.severity for f in found] == ([] if severity is None else [severity])
    assert all("in the same year in the live file" in f.sentence for f in found)


def test_a_new_year_is_measured_against_the_year_before_it(
    compared: duckdb.DuckDBPyConnection, policy: GatePolicy
) -> None:
    def add_year(factor: float) -> list[Finding]:
        compared.execute("delete from mart_typical where year = 2099")
        compared.execute(
            f"insert into mart_typical by name select * replace (2099 as year, typical_value * {factor} as typical_value) "
            "from mart_typical where indicator_id = 'gdhi_per_head' and year = 2023"
        )
        return medians_moved(compared, policy)

    assert add_year(1.04) == []
    (found,) = add_year(100.0)  # pence in the place of pounds
    assert found.severity == "refuse"
    assert found.subject == "gdhi_per_head 2099"
    assert "in the year before it" in found.sentence


def test_a_percentage_moves_in_points_even_from_zero(compared: duckdb.DuckDBPyConnection, policy: GatePolicy) -> None:
    compared.execute(
        "update mart_typical set typical_value = typical_value + 25 where indicator_id = 'claimant_rate' and year = 2025"
    )
    assert only(medians_moved(compared, policy), "claimant_rate 2025").severity == "refuse"


def test_a_release_that_has_not_come_is_one_warning_for_all_it_brings(
    compared: duckdb.DuckDBPyConnection, policy: GatePolicy
) -> None:
    compared.execute("update meta_source set release_status = 'up to date'")
    compared.execute(
        "update meta_source set release_status = 'overdue', next_expected_on = date '2026-10-23' "
        "where release_id = 'annual_survey_of_hours_and_earnings' and indicator_id like 'pay_annual%'"
    )
    grace = {"annual_survey_of_hours_and_earnings": 30}
    (found,) = too_old(compared, policy, today=date(2026, 12, 1), grace_days=grace)
    assert (found.severity, found.measured) == ("warn", 9)
    assert "expected on 2026-10-23 and have not arrived (pay_annual_mean, pay_annual_median, pay_annual_p10 and" in (
        found.sentence
    )


def test_findings_and_who_accepted_them_stay_in_the_file(compared: duckdb.DuckDBPyConnection) -> None:
    findings = [
        Finding("rows_down", "refuse", "gdhi_per_head", 0.5, 0.05, "half of it is gone"),
        Finding("too_old", "warn", "census, 2021", 3, 0, "late"),
    ]
    record_findings(compared, findings)
    assert recorded_findings(compared) == findings
    accept_findings(compared, "withdrawn by ONS", "an analyst", datetime(2026, 11, 23, tzinfo=UTC))
    assert compared.execute("select severity, accepted_because, accepted_by from meta_gate order by 1").fetchall() == [
        ("refuse", "withdrawn by ONS", "an analyst"),
        ("warn", None, None),
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("defaults: {}", "gates.yaml:1: entry 'gates', field 'defaults.districts_lost'"),
        ("- 1", "expected the fields 'defaults' and 'indicators'"),
        (
            "defaults:\n  districts_lost: {warn_above: 2, refuse_above: 1}\n",
            "gates.yaml:2: entry 'gates', field 'defaults.districts_lost': refuse_above 1.0 is below warn_above 2.0",
        ),
    ],
)
def test_wrong_limits_are_named_with_file_line_and_field(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "gates.yaml"
    path.write_text(text)
    with pytest.raises(CatalogueError) as refused:
        load_gate_policy(["gdhi_per_head"], path)
    assert says in str(refused.value)


def test_limits_for_an_indicator_nobody_knows_are_refused() -> None:
    with pytest.raises(CatalogueError, match=r"claimant_rate_monthly, .* not in the catalogue"):
        load_gate_policy(["gdhi_per_head"])
