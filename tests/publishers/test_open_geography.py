"""Names, codes and lookups arrive whole, from whichever service answers today."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from pipeline.http.payload import Incomplete, RequestRefused, SourceError, WrongContent
from pipeline.publishers.open_geography import fetch as open_geography
from tests.publishers.conftest import ClientFor
from tests.standin.server import StandIn

pytestmark = pytest.mark.usefixtures("shared_data")  # the stand-in has no lookups without it


def test_all_districts_arrive_over_two_pages_from_the_newest_name_that_answers(
    standin: StandIn, client_for: ClientFor
) -> None:
    payload = open_geography.fetch("district_names", client_for(standin))
    rows = open_geography.records(payload.content)
    assert len(rows) == payload.row_count == 361
    assert {"LAD23CD": "E06000001", "LAD23NM": "Hartlepool"}.items() <= rows[0].items()
    assert payload.edition == "LAD_APR_2023_UK_NC"
    assert [page.row_count for page in payload.pages] == [200, 161]
    assert [name for name in ("LAD_APR_2025_UK_NC_v2", "LAD_DEC_2024_UK_NC") if standin.count(name)] == [
        "LAD_APR_2025_UK_NC_v2",
        "LAD_DEC_2024_UK_NC",
    ]


@pytest.mark.parametrize(
    ("table", "rows"),
    [
        *(("district_to_region", 296), ("district_to_county", 361), ("district_to_combined_authority", 106)),
        ("combined_authority_names", 15),
    ],
)
def test_lookups_arrive_whole(
    standin: StandIn, client_for: ClientFor, shared_data: Path, table: str, rows: int
) -> None:
    payload = open_geography.fetch(table, client_for(standin))
    assert payload.row_count == rows


def test_boundaries_arrive_as_one_feature_collection(standin: StandIn, client_for: ClientFor) -> None:
    payload = open_geography.fetch("district_boundaries", client_for(standin))
    document = json.loads(payload.content)
    assert document["type"] == "FeatureCollection"
    assert len(document["features"]) == payload.row_count == 374
    assert all(feature["geometry"] for feature in document["features"])


@pytest.mark.parametrize(
    ("fault", "failure", "words"),
    [
        ("renamed_service", RequestRefused, "under any known name: .*error 400: Invalid URL.*geoportal"),
        ("arcgis_busy", RequestRefused, "error 503: An error occurred"),
        ("html_200", WrongContent, "expected JSON, got .an HTML page"),
        ("empty_200", WrongContent, "expected JSON, got .empty body"),
        ("moved_file", RequestRefused, "under any known name"),
        ("unavailable", RequestRefused, "answered 503"),
        ("dropped_connection", Incomplete, "broke off"),
    ],
)
def test_a_fault_ends_in_a_named_failure(
    standin: StandIn, client_for: ClientFor, fault: str, failure: type[SourceError], words: str
) -> None:
    standin.faults.switch_on(fault)
    with pytest.raises(failure, match=words):
        open_geography.fetch("district_names", client_for(standin))


def test_one_renamed_service_is_passed_over(standin: StandIn, client_for: ClientFor) -> None:
    standin.faults.switch_on("renamed_service", "UK_NC_v2")
    assert open_geography.fetch("district_names", client_for(standin)).edition == "LAD_APR_2023_UK_NC"


def test_a_layer_is_asked_for_as_it_is_declared(standin: StandIn, client_for: ClientFor) -> None:
    """The combined authorities of December 2025 stand on layer 1, and layer 0 of that service is refused."""
    payload = open_geography.fetch("combined_authority_names", client_for(standin))
    assert payload.edition == "Combined_Authorities_December_2025_Boundaries_EN_BSC/1"
    assert "/FeatureServer/1/query" in payload.url
    names = {row["CAUTH25CD"]: row["CAUTH25NM"] for row in open_geography.records(payload.content)}
    assert names["E47000001"] == "Greater Manchester"


def test_any_refusal_goes_on_to_the_next_name(
    standin: StandIn, client_for: ClientFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the words of the refusal: here those of a service without the layer that is asked for."""
    table = open_geography.TABLES["district_names"]
    wrong = "Combined_Authorities_December_2025_Boundaries_EN_BSC"
    changed = dataclasses.replace(table, services=(wrong, *table.services))
    monkeypatch.setattr(open_geography, "TABLES", {"district_names": changed})
    assert open_geography.fetch("district_names", client_for(standin)).edition == "LAD_APR_2023_UK_NC"
    assert standin.count(wrong) == 1


def test_the_names_of_december_2025_are_asked_first() -> None:
    newest = {name: table.services[0] for name, table in open_geography.TABLES.items()}
    assert "DEC_2025" in newest["district_names"]
    assert "DEC_2025" in newest["district_boundaries"]


def test_a_page_that_repeats_itself_is_incomplete(
    standin: StandIn, client_for: ClientFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = open_geography._parameters
    monkeypatch.setattr(open_geography, "_parameters", lambda table, offset: real(table, 161 if offset else 0))
    with pytest.raises(Incomplete, match=r"of 361|appears twice"):
        open_geography.fetch("district_names", client_for(standin))
