"""The doctor says of every source whether it answers, has moved or has changed, and never gives up half-way."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pipeline.catalogue import load_catalogue
from pipeline.sources.doctor import Finding, examine
from tests.sources.conftest import ClientFor, known_sources, nomis_query
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
    assert len(findings("open_geography")) == 4
    assert len(findings("govuk")) == 2


@pytest.mark.usefixtures("shared_data")
def test_a_renamed_service_and_a_moved_file_are_told(standin: StandIn, client_for: ClientFor) -> None:
    standin.faults.switch_on("moved_file", "IoD2025")
    findings = by_source(list(examine([], client_for(standin))))
    names = next(finding for finding in findings("open_geography") if finding.question == "district names")
    assert names.is_good
    assert "the newest name, LAD_APR_2025_UK_NC_v2, does not answer" in names.detail
    moved = next(finding for finding in findings("govuk") if "IoD2025" in finding.question)
    assert moved.verdict == "moved or refused"
    assert "has moved" in moved.detail


def test_a_code_that_has_changed_is_told(standin: StandIn, client_for: ClientFor) -> None:
    recalled = nomis_query(dimensions={"variable": {"code": 45, "name": "% with RQF3+ - aged 16-64"}})
    finding = next(iter(examine([recalled], client_for(standin))))
    assert finding.is_good
    assert "has code 1908, not 45" in finding.detail


def test_trouble_at_one_source_does_not_stop_the_others(standin: StandIn, client_for: ClientFor) -> None:
    standin.faults.switch_on("html_200", r"data\.csv")
    standin.faults.switch_on("wrong_column", r"data/")
    findings = by_source(list(examine(QUERIES, client_for(standin))))
    assert {finding.verdict for finding in findings("nomis")} == {"changed shape"}
    assert [finding.verdict for finding in findings("ons_els")] == ["changed shape", "answers"]


def test_without_a_network_every_finding_says_so(client_for: ClientFor) -> None:
    nowhere = dict.fromkeys(known_sources(), "http://127.0.0.1:9")
    findings = list(examine(QUERIES, client_for(base_urls=nowhere)))
    assert {finding.verdict for finding in findings} == {"unreachable"}
