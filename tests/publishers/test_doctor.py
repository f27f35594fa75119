"""The doctor says of every source whether it answers, has moved or has changed, and never gives up half-way."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from pipeline.catalogue import load_catalogue
from pipeline.publishers.doctor import Finding, examine
from tests.publishers.conftest import ClientFor, known_sources, nomis_query
from tests.standin import nomis
from tests.standin.server import StandIn

QUERIES = [query for indicator in load_catalogue().collected for part in indicator.parts for query in part.live]


def by_source(findings: list[Finding]) -> Callable[[str], list[Finding]]:
    return lambda source_id: [finding for finding in findings if finding.source_id == source_id]


def test_every_source_is_asked_and_most_answer(standin: StandIn, client_for: ClientFor) -> None:
    findings = by_source(list(examine(QUERIES, client_for(standin))))
    assert all(finding.is_good for finding in findings("ons_els"))
    assert "generation B" in findings("ons_els")[0].detail
    assert all(finding.is_good for finding in findings("nomis"))
    assert "48 rows for regions" in findings("nomis")[0].detail  # twelve areas; value, error, numerator, denominator
    assert len(findings("open_geography")) == 5
    assert len(findings("govuk")) == 4
    assert "NM_17_5: geography types" in [finding.question for finding in findings("nomis")]


@pytest.mark.usefixtures("shared_data")
def test_a_renamed_service_and_a_moved_file_are_told(standin: StandIn, client_for: ClientFor) -> None:
    standin.faults.switch_on("moved_file", "IoD2025")
    findings = by_source(list(examine([], client_for(standin))))
    names = next(finding for finding in findings("open_geography") if finding.question == "district names")
    assert names.is_good
    assert "the newest name, Local_Authority_Districts_DEC_2025_Boundaries_UK_BUC, does not answer" in names.detail
    moved = next(finding for finding in findings("govuk") if "IoD2025" in finding.question)
    assert moved.verdict == "moved or refused"
    assert "has moved" in moved.detail


@pytest.mark.usefixtures("shared_data")
def test_the_small_areas_of_england_are_looked_for_and_not_fetched(standin: StandIn, client_for: ClientFor) -> None:
    standin.faults.switch_on("moved_file", "File_7_IoD2025")
    findings = by_source(list(examine([], client_for(standin))))
    old, new = (
        next(finding for finding in findings("govuk") if f"{edition} File 7" in finding.question)
        for edition in ("IoD2019", "IoD2025")
    )
    assert old.is_good
    assert re.match(r"[0-9,]{9,} bytes at http://\S+File_7_-_All_IoD2019\S+", old.detail)
    assert new.verdict == "moved or refused"
    assert "none of its 2 known addresses answers (status 404" in new.detail
    assert {request.method for request in standin.requests if "File_7" in request.target} == {"HEAD"}


def test_a_map_that_went_and_a_newer_one_are_told(
    standin: StandIn, client_for: ClientFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = {"TYPE420": "local authorities: district / unitary (as of April 2025)", **nomis.TYPES}
    monkeypatch.setattr(nomis, "TYPES", newer)
    query = nomis_query(geography=["TYPE424", "counties", "combined_authorities"])

    def types_of() -> Finding:
        findings = by_source(list(examine([query], client_for(standin))))
        return next(finding for finding in findings("nomis") if finding.question == "NM_17_5: geography types")

    finding = types_of()
    assert finding.is_good
    assert (
        "; combined authorities are TYPE419 (combined authorities (as of May 2025)); counties are TYPE423"
        in finding.detail
    )
    assert finding.detail.endswith(
        "newer: TYPE420 (local authorities: district / unitary (as of April 2025)), not requested yet"
    )
    monkeypatch.setattr(nomis, "TYPES", {code: name for code, name in newer.items() if code != "TYPE423"})
    assert "no type for counties, which are not requested" in types_of().detail
    monkeypatch.setattr(nomis, "TYPES", {code: name for code, name in newer.items() if code != "TYPE424"})
    finding = types_of()
    assert finding.verdict == "moved or refused"
    assert "no longer has TYPE424; it has TYPE420 (local" in finding.detail


def test_a_code_that_has_changed_is_told(standin: StandIn, client_for: ClientFor) -> None:
    recalled = nomis_query(dimensions={"variable": {"code": 45, "name": "% with RQF3+ - aged 16-64"}})
    finding = next(found for found in examine([recalled], client_for(standin)) if found.source_id == "nomis")
    assert finding.is_good
    assert "has code 1908, not 45" in finding.detail


def test_trouble_at_one_source_does_not_stop_the_others(standin: StandIn, client_for: ClientFor) -> None:
    standin.faults.switch_on("html_200", r"data\.csv")
    standin.faults.switch_on("wrong_column", r"data/")
    findings = by_source(list(examine(QUERIES, client_for(standin))))
    slices = [finding for finding in findings("nomis") if "geography types" not in finding.question]
    assert {finding.verdict for finding in slices} == {"changed shape"}
    assert [finding.verdict for finding in findings("ons_els")] == ["changed shape", "answers"]


def test_without_a_network_every_finding_says_so(client_for: ClientFor) -> None:
    nowhere = dict.fromkeys(known_sources(), "http://127.0.0.1:9")
    findings = list(examine(QUERIES, client_for(base_urls=nowhere)))
    assert {finding.verdict for finding in findings} == {"unreachable"}
