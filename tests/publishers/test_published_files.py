"""A published file arrives as it is, or a sentence says that it has moved and where to look."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.http.payload import Incomplete, RequestRefused, SourceError, WrongContent
from pipeline.publishers.deprivation import files as published_files
from tests.publishers.conftest import ClientFor
from tests.standin import files
from tests.standin.server import StandIn

pytestmark = pytest.mark.usefixtures("shared_data")  # the stand-in has no files without it


@pytest.fixture
def file_7_of_kirklees(monkeypatch: pytest.MonkeyPatch) -> None:
    """The published File 7 is too large to keep here; its rows for one district stand in for it."""
    path = published_files.FILES["iod2019_file_7"].addresses[0]
    monkeypatch.setitem(files.FILES, f"/{path}", "imd2019_kirklees.csv")
    small = replace(published_files.FILES["iod2019_file_7"], row_count=259)
    monkeypatch.setattr(published_files, "FILES", published_files.FILES | {"iod2019_file_7": small})  # type: ignore[operator]


def test_a_workbook_arrives_unchanged(standin: StandIn, client_for: ClientFor, shared_data: Path) -> None:
    payload = published_files.fetch("iod2019_file_10", client_for(standin))
    name = "File_10_-_IoD2019_Local_Authority_District_Summaries__lower-tier__.xlsx"
    assert payload is not None
    assert payload.content == (shared_data / "deprivation" / name).read_bytes()


def test_a_file_already_held_is_not_sent_again(standin: StandIn, client_for: ClientFor) -> None:
    first = published_files.fetch("iod2019_file_10", client_for(standin))
    assert first is not None
    assert published_files.fetch("iod2019_file_10", client_for(standin), etag=first.headers["etag"]) is None


def test_a_moved_file_says_where_to_look(standin: StandIn, client_for: ClientFor) -> None:
    standin.faults.switch_on("moved_file")
    with pytest.raises(
        RequestRefused,
        match=r"none of its 2 known addresses answers .status 404 .*gov.uk/government/collections.*if it has moved",
    ):
        published_files.fetch("iod2025_file_10", client_for(standin))
    assert len(standin.requests) == 2


def test_an_older_address_is_tried(standin: StandIn, client_for: ClientFor, monkeypatch: pytest.MonkeyPatch) -> None:
    newest = replace(
        published_files.FILES["iod2019_file_10"],
        addresses=("media/new/file.xlsx", *published_files.FILES["iod2019_file_10"].addresses),
    )
    monkeypatch.setattr(published_files, "FILES", {"iod2019_file_10": newest})
    assert published_files.fetch("iod2019_file_10", client_for(standin)) is not None


@pytest.mark.usefixtures("file_7_of_kirklees")
def test_a_csv_is_counted(standin: StandIn, client_for: ClientFor) -> None:
    payload = published_files.fetch("iod2019_file_7", client_for(standin))
    assert payload is not None
    assert payload.row_count == 259


@pytest.mark.usefixtures("file_7_of_kirklees")
@pytest.mark.parametrize(
    ("fault", "failure", "words"),
    [
        ("truncated_body", Incomplete, "cut off"),
        ("duplicate_rows", Incomplete, "260 rows arrived where the edition has 259"),
        ("extra_column", WrongContent, "expected the first column"),
        ("html_200", WrongContent, "an HTML page"),
        ("empty_200", WrongContent, "empty body"),
        ("moved_file", RequestRefused, "has moved"),
    ],
)
def test_a_fault_ends_in_a_named_failure(
    standin: StandIn, client_for: ClientFor, fault: str, failure: type[SourceError], words: str
) -> None:
    standin.faults.switch_on(fault)
    with pytest.raises(failure, match=words):
        published_files.fetch("iod2019_file_7", client_for(standin))


def test_a_not_found_body_under_the_right_name_is_no_workbook(standin: StandIn, client_for: ClientFor) -> None:
    standin.faults.switch_on("html_200")
    with pytest.raises(WrongContent, match=r"expected a xlsx workbook, got .an HTML page"):
        published_files.fetch("iod2019_file_10", client_for(standin))
