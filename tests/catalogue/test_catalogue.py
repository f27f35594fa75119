"""The catalogue: its entries load, and a bad one is reported with file, line, entry and field."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipeline.catalogue import CatalogueError, load_catalogue
from pipeline.catalogue.load import CATALOGUE_DIR

FILES = ("indicators.yaml", "sources.yaml", "baseline.yaml")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in FILES:
        shutil.copy(CATALOGUE_DIR / name, tmp_path / name)
    return tmp_path


def change(folder: Path, old: str, new: str, name: str = "indicators.yaml") -> int:
    """Replace the first ``old`` in a file; return the line on which it stood."""
    text = (folder / name).read_text(encoding="utf-8")
    assert old in text
    (folder / name).write_text(text.replace(old, new, 1), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


def message(folder: Path) -> str:
    with pytest.raises(CatalogueError) as caught:
        load_catalogue(folder)
    return str(caught.value)


def test_the_shipped_catalogue_holds_the_indicators_asked_for() -> None:
    ids = set(load_catalogue().indicators)
    assert {
        "gva_per_hour", "gva_per_job", "gdhi_per_head", "pay_median_weekly", "employment_rate",
        "economic_inactivity_rate", "unemployment_rate_modelled", "claimant_rate", "child_poverty_bhc",
        "child_poverty_ahc", "housing_affordability_ratio", "level3_qualifications_rate", "no_qualifications_rate",
        "healthy_life_expectancy_female", "healthy_life_expectancy_male", "pay_p20_to_p50_annual",
        "pay_p25_to_p75_annual", "imd_average_score", "income_deprivation_gap", "income_deprivation_concentration",
    } <= ids  # fmt: skip


def test_every_collected_part_can_come_from_somewhere() -> None:
    catalogue = load_catalogue()
    shipped = {(entry.indicator, entry.part) for entry in catalogue.baseline}
    parts = {(i.id, part.id): part for i in catalogue.collected for part in i.parts}
    assert all(part.live or key in shipped for key, part in parts.items())


def test_column_names_in_wide_tables_end_with_the_unit_and_are_unique() -> None:
    names = [indicator.column_name for indicator in load_catalogue().indicators.values()]
    assert len(set(names)) == len(names)
    assert {"gdhi_per_head_gbp", "employment_rate_percent", "housing_affordability_ratio"} <= set(names)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("polarity: 1", "polarity: 7", "entry 'gva_per_hour', field 'polarity': Input should be 1, 0 or -1 (given: 7)"),
        ("theme: productivity", "theme: wealth", "entry 'gva_per_hour', field 'theme'"),
        ("decimals: 1", "decimal: 1", "entry 'gva_per_hour', field 'decimal': Extra inputs are not permitted"),
        ("bounds: {min: 5, max: 250}", "bounds: {min: 500, max: 250}", "field 'bounds': min 500.0 is not below max 250.0"),
        ("bounds: {min: 5, max: 250}", "bounds: {min: -5, max: 250}", "a log_ratio needs positive values"),
        ("intervals: revisions", "breaks: [{after: 2019, reason: Another method.}, {after: 2012, reason: Another method.}]\n  intervals: revisions",
         "field 'breaks': breaks come in the order of their years, each year once: [2019, 2012]"),
        ("districts: {min: 345, max: 361}", "districts: {min: 361, max: 345}", "min 361 is above max 345"),
        ("- id: gva_per_job", "- id: gva_per_hour", "entry 'gva_per_hour', field 'id': already used in line"),
        ("numerator: pay_annual_p20", "numerator: pay_annual_p21", "field 'ratio_of.numerator': no indicator 'pay_annual_p21'"),
        ("{source: ons_els, slug: gross-value-added-per-hour-worked}", "{source: ons_els, slug: GVA per hour}", "slug"),
    ],
)  # fmt: skip
def test_a_bad_entry_is_named_with_its_line_entry_and_field(folder: Path, old: str, new: str, expected: str) -> None:
    line = change(folder, old, new)
    text = message(folder)
    assert expected in text
    if "ratio_of" not in expected and "log_ratio" not in expected:
        assert f"indicators.yaml:{line}:" in text


def test_a_field_given_twice_is_refused(folder: Path) -> None:
    change(folder, "theme: productivity", "theme: productivity\n  theme: pay")
    assert "the field 'theme' is given twice" in message(folder)


def test_text_that_is_not_yaml_is_refused_with_its_line(folder: Path) -> None:
    (folder / "sources.yaml").write_text("- id: [unclosed\n  title: x\n", encoding="utf-8")
    assert message(folder).startswith("sources.yaml:2:")


def test_every_problem_is_listed_not_only_the_first(folder: Path) -> None:
    change(folder, "theme: productivity", "theme: wealth")
    change(folder, "theme: income", "theme: riches")
    assert len(message(folder).splitlines()) == 2


def test_a_part_without_a_source_or_shipped_figures_is_refused(folder: Path) -> None:
    change(folder, "live: [{source: ons_els, slug: gross-value-added-per-hour-worked}]", "live: []")
    change(folder, "- indicator: gva_per_hour\n", "- indicator: gva_per_job\n", "baseline.yaml")
    text = message(folder)
    assert "entry 'gva_per_hour', part 'main': no live query and no baseline" in text
    assert "entry 'gva_per_job', part 'main': given twice" in text


def test_every_indicator_says_whether_anyone_publishes_its_error() -> None:
    indicators = load_catalogue().indicators
    published = {name for name, indicator in indicators.items() if indicator.is_error_published}
    assert {"pay_annual_p20", "pay_p20_to_p50_annual", "employment_rate", "unemployment_rate_modelled"} <= published
    assert not {"claimant_rate", "gva_per_hour", "gdhi_per_head", "child_poverty_bhc"} & published
    assert "housing_affordability_ratio" not in published
    assert "not a sample" in indicators["claimant_rate"].error_note
