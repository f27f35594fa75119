"""The stand-in answers as the publishers did: byte for byte where their answers were recorded."""

from __future__ import annotations

import csv
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

from pipeline.settings import PROJECT_ROOT
from tests.standin.els import NOT_SPOKEN
from tests.standin.faults import NAMES
from tests.standin.server import StandIn

RECORDED = PROJECT_ROOT.parent / "shared" / "data" / "els-api"


def manifest() -> list[dict[str, str]]:
    if not (RECORDED / "manifest.csv").is_file():
        return []
    return list(csv.DictReader((RECORDED / "manifest.csv").read_text(encoding="utf-8").splitlines()))


def recorded_csv_requests() -> list[tuple[str, str]]:
    """(path and query, file) of every recorded GET the stand-in claims to speak: CSV, metadata and their errors."""
    spoken = []
    for row in manifest():
        parts = urlsplit(row["path_and_query"])
        keys = {name for name, _ in parse_qsl(parts.query)}
        is_data = parts.path.endswith("/data.csv") and not keys & NOT_SPOKEN
        is_metadata = "/metadata/indicators" in parts.path and keys <= {"indicator"} and "/dimensions" not in parts.path
        is_other_error = row["file"].startswith("errors/") and parts.path.endswith("/data.tsv")
        if row["method"] == "GET" and row["request_accept"] == "*/*" and (is_data or is_metadata or is_other_error):
            spoken.append((row["path_and_query"], row["file"]))
    return spoken


@pytest.mark.skipif(not RECORDED.is_dir(), reason="the recorded responses of ../shared/data are not here")
def test_many_recorded_requests_are_compared() -> None:
    assert len(recorded_csv_requests()) >= 30


@pytest.fixture(scope="module")
def generation_a() -> object:
    with StandIn(els_generation="A") as running:
        yield running


@pytest.mark.parametrize(("target", "file"), recorded_csv_requests(), ids=lambda text: text.rsplit("/", 1)[-1][:60])
def test_the_stand_in_equals_the_recording_byte_for_byte(generation_a: StandIn, target: str, file: str) -> None:
    recorded = next(row for row in manifest() if row["file"] == file)
    answer = requests.get(generation_a.origin + target, timeout=10)
    assert answer.status_code == int(recorded["status"])
    assert answer.content == (RECORDED / file).read_bytes()
    assert answer.headers.get("content-type", "") == recorded["content_type"]


def test_the_nomis_header_is_the_recorded_one(shared_data: Path, standin: StandIn) -> None:
    for name, dataset in {
        "nomis-aps-employment": "NM_17_5",
        "nomis-claimant-count": "NM_162_1",
        "nomis-jobs-density": "NM_57_1",
    }.items():
        recorded = (shared_data / "nomis" / f"{name}.csv").read_bytes().split(b"\n")[0]
        url = f"{standin.base_urls['nomis']}/dataset/{dataset}.data.csv?geography=E08000034&date=latest"
        assert requests.get(url, timeout=10).content.split(b"\n")[0] == recorded


def test_nomis_cuts_a_guest_at_25000_rows_without_a_word(standin: StandIn) -> None:
    url = (
        f"{standin.base_urls['nomis']}/dataset/NM_162_1.data.csv?geography=TYPE424&select=OBS_VALUE,record_count&date="
    )
    dates = ",".join(f"2020-{month:02d}" for month in range(1, 13))
    lines = requests.get(url + dates, timeout=10).text.splitlines()
    assert lines[0] == '"OBS_VALUE","RECORD_COUNT"'
    assert len(lines) == 25_001
    assert lines[1].endswith(",25992")


def test_nomis_answers_nonsense_with_nothing(standin: StandIn) -> None:
    for query in (
        "geography=TYPE424&date=2023-12&measures=1",
        "geography=TYPE424&date=1890",
        "geography=TYPE1&date=latest",
    ):
        answer = requests.get(f"{standin.base_urls['nomis']}/dataset/NM_17_5.data.csv?{query}", timeout=10)
        assert answer.status_code == 200
        assert answer.content == b""


def test_an_error_is_html_unless_json_is_accepted(standin: StandIn) -> None:
    url = f"{standin.base_urls['ons_els']}/data.csv?foo=1"
    assert requests.get(url, headers={"Accept": "text/csv"}, timeout=10).text.startswith("<!doctype html>")
    assert requests.get(url, timeout=10).json() == {"message": "Request contained invalid or duplicate parameters."}


def test_every_fault_can_be_switched_and_others_are_refused() -> None:
    with StandIn(faults=dict.fromkeys(NAMES, "nothing matches this")) as standin:
        assert requests.get(f"{standin.base_urls['ons_els']}/metadata/indicators/claimant-count", timeout=10).ok
    with pytest.raises(ValueError, match="no fault named 'gremlins'"):
        StandIn(faults={"gremlins": ""})


def test_it_works_from_the_shipped_figures_alone(tmp_path: Path) -> None:
    with StandIn(data_dir=tmp_path) as standin:
        url = f"{standin.base_urls['ons_els']}/data/claimant-count.csv?time=2025&geo=ltla"
        assert len(requests.get(url, timeout=10).text.splitlines()) == 362
