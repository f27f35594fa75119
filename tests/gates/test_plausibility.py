"""A publisher's wrong table is held by name; what the publisher rightly sends is not."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.catalogue.load import CATALOGUE_DIR
from pipeline.catalogue.yaml_entries import CatalogueError
from pipeline.gates import load_gate_policy
from pipeline.gates.plausibility import Breach, breaches, in_words
from tests.gates import mistakes
from tests.gates.editions import EDITIONS, answer, catalogue, edition_steps, facts, new_years, policy, shipped
from tests.gates.mutations import EXPLAINED, alarms, trials

INCOME = "gdhi_per_head"


def asked(name: str, new: pd.DataFrame, held: pd.DataFrame) -> list[Breach]:
    indicator = name.partition("--")[0]
    return breaches(answer(indicator, new, held), facts(), policy().answers(indicator))


def without_latest(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["year"] < table["year"].max()]


@pytest.mark.parametrize("name", sorted(shipped()))
def test_the_figures_held_pass_against_themselves(name: str) -> None:
    assert asked(name, shipped()[name], shipped()[name]) == []


# Each was published by a run before there were these gates, with no finding or with a warning.
@pytest.mark.parametrize("name", [INCOME, "employment_rate--great_britain", "child_poverty_bhc", "claimant_rate"])
@pytest.mark.parametrize(
    "mistake",
    [
        mistakes.latest_year_mirrored_about_its_median,
        mistakes.latest_year_shifted_by_a_row,
        mistakes.codes_permuted_in_the_latest_year,
        mistakes.codes_permuted_in_all_years,
        mistakes.an_old_year_under_the_latest_label,
        mistakes.years_reversed,
        mistakes.every_district_revised_at_random,
    ],
)
def test_what_was_published_is_held_whether_the_year_is_new_or_not(name: str, mistake: mistakes.Mistake) -> None:
    table = shipped()[name]
    wrong = mistake(table, np.random.default_rng(1))
    assert wrong is not None
    assert asked(name, wrong, table)
    assert asked(name, wrong, without_latest(table))


def test_the_mirrored_income_is_told_with_the_three_areas_that_show_it_most() -> None:
    table = shipped()[INCOME]
    wrong = mistakes.latest_year_mirrored_about_its_median(table, np.random.default_rng(1))
    said = in_words(asked(INCOME, wrong, table))
    latest = table[(table["year"] == 2023) & table["area_code"].str.match("E0[6-9]|W06|S12|N09")]
    richest = latest.nlargest(1, "value").iloc[0]
    assert "Household income in 2023" in said
    assert f"{richest['area_name']} {latest['value'].min():,.0f}, before {richest['value']:,.0f}" in said


def test_two_areas_swapped_are_held_and_named() -> None:
    table = shipped()["claimant_rate"]
    rows = [
        table.index[(table["area_code"] == code) & (table["year"] == 2025)][0] for code in ("E06000001", "E07000008")
    ]
    wrong = table.copy()
    wrong.loc[rows, "value"] = table.loc[rows[::-1], "value"].to_numpy()
    (breach, *_) = [found for found in asked("claimant_rate", wrong, table) if found.gate_id == "exchanged"]
    assert breach.measured == 2
    assert "Hartlepool" in breach.sentence
    assert "Cambridge" in breach.sentence


def test_a_name_that_is_another_areas_is_held_and_a_name_nobody_knows_is_not() -> None:
    table = shipped()[INCOME]
    renamed = table.assign(area_name=table["area_name"].replace({"Tewkesbury": "North Gloucestershire"}))
    assert asked(INCOME, renamed, table) == []
    wrong = table.assign(area_name=table["area_name"].replace({"Hartlepool": "Bolton"}))
    (breach,) = asked(INCOME, wrong, table)
    assert breach.gate_id == "names"
    assert "E06000001 is Hartlepool and comes as 'Bolton'" in breach.sentence


def test_before_housing_costs_in_the_place_of_after_is_held_though_the_year_is_new() -> None:
    before, after = shipped()["child_poverty_bhc"], shipped()["child_poverty_ahc"]
    wrong = before[before["year"].isin(after["year"].unique())]
    found = asked("child_poverty_ahc", wrong, without_latest(after))
    assert found
    above = before.assign(value=before["value"].where(before["year"] < 2024, before["value"] + 12))
    assert "sister_order" in {breach.gate_id for breach in asked("child_poverty_bhc", above, without_latest(before))}


def test_regions_of_the_year_before_beside_districts_of_the_new_year_are_held() -> None:
    table = shipped()[INCOME]
    wrong = mistakes.the_regions_exchanged(table, np.random.default_rng(3))
    assert wrong is not None
    found = asked(INCOME, wrong, table)
    assert any(breach.gate_id.startswith("wider_") for breach in found)


def test_one_figure_corrected_between_releases_passes() -> None:
    table = shipped()[INCOME]
    row = table.index[(table["area_code"] == "E06000001") & (table["year"] == 2023)][0]
    corrected = table.copy()
    corrected.loc[row, "value"] *= 1.01
    assert asked(INCOME, corrected, table) == []


@pytest.mark.skipif(not EDITIONS.exists(), reason="needs the editions in ../shared/data/els-vintages")
def test_of_the_real_editions_only_those_explained_are_held() -> None:
    held = {label for label, found in alarms(edition_steps(), has_sisters=False) if found}
    assert held == {label for label in EXPLAINED if "_20" in label and label.rpartition("_")[2].startswith("20")}


@pytest.mark.parametrize("name", [INCOME, "pay_median_weekly", "child_poverty_bhc", "pay_annual_p20"])
def test_of_the_years_held_only_those_explained_would_have_been(name: str) -> None:
    steps = [replay for replay in new_years() if replay.label.rpartition(" ")[0] == name][-6:]
    held = {label for label, found in alarms(steps, has_sisters=True) if found}
    assert held <= EXPLAINED.keys()


def test_nineteen_of_twenty_wrong_tables_of_held_years_are_held() -> None:
    """A compact part of ``python -m tests.gates.mutations``, whose tables are in docs/gates.md."""
    found = [
        trial for trial in trials(["gva_per_hour", "pay_annual_median"], repeats=1) if trial.situation == "held before"
    ]
    assert len(found) > 50
    assert sum(trial.is_held for trial in found) >= 0.95 * len(found)


def test_a_new_year_of_every_series_at_once_is_looked_at_in_seconds() -> None:
    """In processor time, the middle of three tries; 1.5 s on a busy machine (docs/gates.md)."""
    night = [(name, table, without_latest(table)) for name, table in shipped().items()]
    ready = [(name.partition("--")[0], answer(name.partition("--")[0], new, held)) for name, new, held in night]
    took = []
    for _ in range(3):
        start = time.process_time()
        for indicator, asks in ready:
            breaches(asks, facts(), policy().answers(indicator))
        took.append(time.process_time() - start)
    assert sorted(took)[1] < 3.0


def test_a_limit_of_a_gate_that_there_is_not_is_refused(tmp_path: Path) -> None:
    text = (CATALOGUE_DIR / "gates.yaml").read_text().replace("new_rank: 2", "new_rnak: 2", 1)
    path = tmp_path / "gates.yaml"
    path.write_text(text)
    with pytest.raises(CatalogueError, match="'limits' names new_rnak, which is no gate of answers"):
        load_gate_policy(catalogue().indicators, path)
