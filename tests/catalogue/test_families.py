"""A family: one entry that stands for many, whose mistakes are told as precisely as those of any other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict

from pipeline.catalogue import CatalogueError, load_catalogue
from pipeline.catalogue.model import Indicator
from pipeline.catalogue.yaml_entries import load_entries
from pipeline.publishers.nomis.query import NomisQuery
from pipeline.settings import PROJECT_ROOT

FAMILY = """\
- family: bands
  axes:
    place:
      - {id: "", of: residents, number: 1}
      - {id: workplace_, of: jobs, number: 2}
    band:
      - {id: low, limits: {min: 0, max: 10}}
      - {id: high, limits: {min: 10, max: 20}}
  each:
    id: "pay_{place.id}{band.id}"
    title: "Pay of {place.of}"
    number: "{place.number}"
    limits: "{band.limits}"
    together: ["{band.*.id}"]
  exceptions:
    pay_workplace_high: {title: By hand}
"""


class Entry(BaseModel):
    model_config = ConfigDict(extra="forbid")

    id: str
    title: str
    number: int
    limits: dict[str, int]
    together: list[list[str]]


def load(tmp_path: Path, text: str) -> list[Entry]:
    path = tmp_path / "entries.yaml"
    path.write_text(text, encoding="utf-8")
    return load_entries(path, Entry)


def test_there_is_a_member_for_every_option_with_every_other(tmp_path: Path) -> None:
    entries = load(tmp_path, FAMILY)
    assert [(entry.id, entry.title, entry.number) for entry in entries] == [
        ("pay_low", "Pay of residents", 1),
        ("pay_high", "Pay of residents", 1),
        ("pay_workplace_low", "Pay of jobs", 2),
        ("pay_workplace_high", "By hand", 2),
    ]
    assert entries[1].limits == {"min": 10, "max": 20}
    assert entries[0].together == [["low", "high"]]


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ('"Pay of {place.of}"', '"Pay of {place.off}"', 11, "family bands', field 'each.title': '{place.off}': an option of 'place' has no field 'off', it has id, of, number"),
        ('"Pay of {place.of}"', '"Pay of {where.of}"', 11, "field 'each.title': '{where.of}' names no axis; there are place, band"),
        ('number: "{place.number}"', 'number: "{place.of}"', 12, "entry 'pay_low', field 'number': Input should be a valid integer"),
        ("    title:", "    titel:", 11, "entry 'pay_low', field 'titel': Extra inputs are not permitted"),
        ("pay_workplace_high: {title", "pay_of_nobody: {title", 16, "field 'exceptions.pay_of_nobody': no member has the id 'pay_of_nobody'; they are pay_low, pay_high"),
        ("{title: By hand}", "{title: 3}", 16, "entry 'pay_workplace_high', field 'title': Input should be a valid string"),
        ("pay_{place.id}{band.id}", "pay_{band.id}", 1, "entry 'pay_low', field 'id': already used in line 1"),
        ("  axes:", "  axis:", 1, "entry 'family bands', field 'axis': Extra inputs are not permitted"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_line_entry_and_field(
    tmp_path: Path, old: str, new: str, line: int, words: str
) -> None:
    assert old in FAMILY
    with pytest.raises(CatalogueError) as caught:
        load(tmp_path, FAMILY.replace(old, new, 1))
    assert words in str(caught.value)
    assert re.search(rf"^entries\.yaml:{line}: ", str(caught.value), re.MULTILINE)


def pay_queries() -> dict[str, NomisQuery]:
    """The queries for pay by indicator, of which each has one."""
    queries = [(entry.id, query) for entry in load_catalogue().collected for part in entry.parts for query in part.live]
    return {
        name: query
        for name, query in queries
        if isinstance(query, NomisQuery) and query.dataset in ("NM_30_1", "NM_99_1")
    }


def test_pay_is_collected_at_every_percentile_of_both_places_both_kinds_and_all_sexes() -> None:
    percentiles = {"Median", *(f"{number} percentile" for number in (10, 20, 25, 30, 40, 60, 70, 75, 80, 90))}
    asked = {
        (query.dataset, query.dimensions["pay"].name, query.dimensions["sex"].name, query.dimensions["item"].name)
        for query in pay_queries().values()
        if query.error_form == "cv"
    }
    for dataset in ("NM_30_1", "NM_99_1"):
        for pay in ("Weekly pay - gross", "Hourly pay - excluding overtime"):
            for sex in ("Total", "Male", "Female"):
                assert percentiles == {name for d, p, s, name in asked if (d, p, s) == (dataset, pay, sex)}


def test_percentiles_of_pay_share_thirteen_requests_and_keep_out_of_the_wide_table() -> None:
    requests = {repr((query.dataset, query.options)) for query in pay_queries().values()}
    assert len(pay_queries()) == 132 + 12
    assert len(requests) == 12 + 1
    indicators = load_catalogue().indicators
    in_profile = {name for name in pay_queries() if indicators[name].in_profile and not name.startswith("pay_annual")}
    assert in_profile == {"pay_hourly_median", "pay_median_weekly_workplace"}


def test_the_family_of_the_page_on_adding_indicators_is_one(tmp_path: Path) -> None:
    page = (PROJECT_ROOT / "docs" / "add-an-indicator.md").read_text(encoding="utf-8")
    text = next(block for block in page.split("```yaml\n") if block.startswith("- family:")).split("```")[0]
    path = tmp_path / "indicators.yaml"
    path.write_text(text, encoding="utf-8")
    members = load_entries(path, Indicator)
    assert [member.id for member in members] == ["business_survival_one_year", "business_survival_five_year"]
    assert members[1].title == "Businesses that survive for five years"
