from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.catalogue import CatalogueError
from pipeline.geography import (
    GeographyError,
    Membership,
    Register,
    aggregate,
    group_membership,
    read_groups,
    reexpress,
    wider_membership,
)
from pipeline.geography.dimensions import bridge_area_group
from pipeline.settings import PROJECT_ROOT
from tests.geography.elsfiles import read_els

Table = Callable[..., pd.DataFrame]
ERRORS = {"standard_error": 2.0, "lower": 6.0, "upper": 14.0}
TEES_VALLEY = ("E06000001", "E06000002", "E06000003", "E06000004", "E06000005")


def _made(rows: pd.DataFrame, kind: str, register: Register, *levels: str) -> pd.DataFrame:
    onto = reexpress(rows, {"people": kind}, register).observations
    made = aggregate(onto, {"people": kind}, wider_membership(register, levels or ("combined_authority",)), register)
    return made.set_index("area_code")


def test_a_wider_areas_count_is_the_sum_of_its_districts_with_errors_in_squares(
    register: Register, table: Table
) -> None:
    made = _made(table(((code, 2023, 10.0) for code in TEES_VALLEY), standard_error=2.0), "count", register)
    row = made.loc["E47000006"]
    assert (row["value"], row["status"], row["geography_rule"]) == (50.0, "estimated", "aggregate_sum")
    assert row["standard_error"] == pytest.approx(2 * 5**0.5)
    assert row["source_area_codes"] == "+".join(TEES_VALLEY)
    assert list(made.index) == ["E47000006"]


@pytest.mark.parametrize(("kind", "has_errors"), [("median", False), ("rate", True)])
def test_a_mean_of_medians_gets_no_interval(register: Register, table: Table, kind: str, has_errors: bool) -> None:
    rows = table(((code, 2023, 10.0) for code in TEES_VALLEY), **ERRORS)
    row = _made(rows, kind, register).loc["E47000006"]
    assert row["value"] == pytest.approx(10)
    assert row[["lower", "upper", "standard_error"]].notna().tolist() == [has_errors] * 3
    merged = table(((code, 2015, 10.0) for code in ("E07000189", "E07000187", "E07000188", "E07000246")), **ERRORS)
    made = reexpress(merged, {"people": kind}, register).observations.set_index("area_code").loc["E06000066"]
    assert made["value"] == pytest.approx(10)
    assert made[["lower", "upper", "standard_error"]].notna().tolist() == [has_errors] * 3


def test_a_wider_areas_count_needs_every_district(register: Register, table: Table) -> None:
    assert _made(table((code, 2023, 10.0) for code in TEES_VALLEY[:4]), "count", register).empty


def test_a_wider_areas_rate_is_averaged_over_people_or_over_denominators_when_they_are_there(
    register: Register, table: Table
) -> None:
    rows = table([(code, 2023, float(i)) for i, code in enumerate(TEES_VALLEY)])
    people = register.areas.set_index("area_code").loc[list(TEES_VALLEY), "population_2020"]
    by_people = _made(rows, "rate", register).loc["E47000006"]
    assert by_people["value"] == pytest.approx(np.average(range(5), weights=people))
    assert by_people["geography_rule"] == "aggregate_population_weighted"
    by_base = _made(rows.assign(denominator=[1.0, 1.0, 1.0, 1.0, 6.0]), "rate", register).loc["E47000006"]
    assert by_base["value"] == pytest.approx((0 + 1 + 2 + 3 + 24) / 10)
    assert by_base["geography_rule"] == "aggregate_by_denominator"


def test_a_rate_is_made_without_a_tiny_district_but_not_without_a_large_one(register: Register, table: Table) -> None:
    london = register.members_of("E12000007")
    rows = table((code, 2023, 5.0) for code in london if code != "E09000001")
    made = _made(rows, "rate", register, "region")
    assert made.loc["E12000007", "value"] == pytest.approx(5)
    assert "E09000001" not in made.loc["E12000007", "source_area_codes"]
    assert _made(rows[10:], "rate", register, "region").empty


def test_a_district_whose_people_are_not_known_leaves_other_wider_areas_alone(register: Register, table: Table) -> None:
    areas = register.areas.assign(
        population_2020=register.areas["population_2020"].where(register.areas["area_code"].ne("E08000035"))
    )
    unknown = dataclasses.replace(register, areas=areas)
    made = _made(table((code, 2023, 5.0) for code in register.districts()), "rate", unknown)
    assert made.loc["E47000006", "value"] == pytest.approx(5)
    assert "E47000003" not in made.index, "Leeds is in West Yorkshire"


def test_an_index_is_never_aggregated(register: Register, table: Table) -> None:
    assert _made(table((code, 2023, 10.0) for code in TEES_VALLEY), "index", register).empty


def test_the_published_figure_of_a_wider_area_wins(register: Register, table: Table) -> None:
    rows = table([*((code, 2023, 10.0) for code in TEES_VALLEY), ("E47000006", 2023, 55.0)])
    assert _made(rows, "count", register).empty
    missing = table([*((code, 2023, 10.0) for code in TEES_VALLEY), ("E47000006", 2023, np.nan)])
    assert _made(missing, "count", register).loc["E47000006", "value"] == 50


def test_an_aggregate_needs_the_kind_of_each_indicator(register: Register, table: Table) -> None:
    with pytest.raises(GeographyError, match="no kind is given for indicator 'people'"):
        aggregate(table([("E06000001", 2023, 1.0)]), {}, Membership({"x": ["E06000001"]}, {}), register)


def test_the_named_groups_have_the_districts_their_sources_list(register: Register) -> None:
    bridge = bridge_area_group(register)
    sizes = bridge.groupby("group_id").size()
    assert sizes["core_cities"] == 12
    # seven districts of its own and four combined authorities of 10, 6, 4 and 7, and North of Tyne's three
    assert sizes["inclusive_growth_network"] == 7 + 10 + 6 + 4 + 7 + 3
    assert (sizes["greater_manchester_city_region"], sizes["liverpool_city_region"]) == (10, 6)
    assert sizes["west_midlands_city_region"] == 7
    assert not bridge.duplicated(["group_id", "area_code"]).any()
    assert set(bridge["area_code"]) <= set(register.districts())
    network = bridge[bridge["group_id"].eq("inclusive_growth_network")].set_index("area_code")
    assert network.loc["E08000039", "member_name"] == "South Yorkshire"
    assert {"E08000021", "E08000022", "E06000057"} <= set(network.index)


def test_a_group_that_is_one_wider_area_takes_its_published_figure(register: Register, table: Table) -> None:
    rows = table([*((code, 2023, 1.0) for code in register.members_of("E47000001")), ("E47000001", 2023, 1.5)])
    onto = reexpress(rows, {"people": "rate"}, register).observations
    made = aggregate(onto, {"people": "rate"}, group_membership(register), register).set_index("area_code")
    row = made.loc["greater_manchester_city_region"]
    assert (row["value"], row["status"], row["geography_rule"]) == (1.5, "ok", "published_for_same_area")


MINE = "- id: mine\n  title: My places\n  description: Places of mine.\n  source: I chose them myself\n"


def test_the_group_of_the_documents_is_made_of_its_districts_with_errors_and_marked(
    register: Register, table: Table, tmp_path: Path
) -> None:
    path = tmp_path / "groups.yaml"
    page = (PROJECT_ROOT / "docs" / "geography.md").read_text(encoding="utf-8")
    path.write_text(page.partition("```yaml\n")[2].partition("```")[0], encoding="utf-8")
    rows = table(
        ((code, 2023, 10.0) for code in ("E08000035", *TEES_VALLEY)), standard_error=2.0, lower=6.0, upper=14.0
    )
    onto = reexpress(rows, {"people": "count"}, register).observations
    (made,) = aggregate(onto, {"people": "count"}, group_membership(register, path=path), register).to_dict("records")
    assert (made["area_code"], made["value"], made["status"]) == ("my_places", 60.0, "estimated")
    assert (made["geography_rule"], made["source_area_codes"]) == (
        "aggregate_sum",
        "+".join([*TEES_VALLEY, "E08000035"]),
    )
    assert made["standard_error"] == pytest.approx(2 * 6**0.5)
    assert (made["lower"], made["upper"]) == (pytest.approx(60 - 4 * 6**0.5), pytest.approx(60 + 4 * 6**0.5))
    bridge = bridge_area_group(register, path=path)
    assert list(bridge["member_name"]) == ["Tees Valley"] * 5 + ["Leeds"]


@pytest.mark.parametrize(
    ("entry", "complaint"),
    [
        ("members: {E08000035: Bradford}", "the register calls it 'Leeds', not 'Bradford'"),
        ("members: {E08999999: Nowhere}", "is a code the register does not know"),
        ("members: {E10000006: Cumbria}", "has no district on the map"),
        ("members: {}", "members"),
        ("member: {E08000035: Leeds}", "member"),
    ],
)
def test_a_bad_group_is_refused_with_its_file_and_entry(
    register: Register, tmp_path: Path, entry: str, complaint: str
) -> None:
    path = tmp_path / "groups.yaml"
    path.write_text(f"{MINE}  {entry}\n", encoding="utf-8")
    with pytest.raises(CatalogueError, match=complaint):
        bridge_area_group(register, path=path)


def test_every_group_has_a_source(register: Register) -> None:
    assert all(group.source and group.description for group in read_groups())


def test_aggregates_of_household_income_come_within_two_percent_of_the_published_ones(
    register: Register, shared_data: Path
) -> None:
    els = read_els(shared_data / "els" / "gross-disposable-household-income-per-head.csv")
    kinds = dict.fromkeys(els["indicator_id"].unique(), "mean")
    published = reexpress(els, kinds, register).observations
    districts = published[published["area_code"].isin(register.districts())]
    made = aggregate(districts, kinds, wider_membership(register), register)
    both = made.merge(published, on=["area_code", "indicator_id", "period"], suffixes=("", "_published"))
    assert len(both) > 1000
    assert (both["value"] / both["value_published"] - 1).abs().max() < 0.025
