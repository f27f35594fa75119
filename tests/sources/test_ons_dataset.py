"""The ONS dataset API: its v4 tables arrive whole and are read by header, and its plain-text errors are quoted."""

from __future__ import annotations

import pytest

from pipeline import sources
from pipeline.catalogue.model import OnsDatasetQuery
from pipeline.sources.base import Incomplete, RequestRefused, SourceError, WrongContent
from pipeline.tidy import ons_v4
from pipeline.tidy.observations import UnreadablePayload
from tests.sources.conftest import ClientFor
from tests.standin.figures import SHARED_DATA, figures_of
from tests.standin.server import StandIn

PAY = OnsDatasetQuery(source="ons_dataset", dataset="ashe-tables-7-and-8", select={"AveragesAndPercentiles": "Median"})
# As tests of ONS's own API and a client's printed output have them (WIRE_FORMATS section 3.2).
LOWER_CASE = b"""\xef\xbb\xbfv4_2,data_marking,confidence_interval,calendar-years,time,administrative-geography,geography,sex,Sex
71.5,,1.2,2023,2023,E08000034,Kirklees,all,All
,.,,2023,2023,E06000053,Isles of Scilly,all,All
12,,,2023,2023,TLC,North East,all,All
5,,,2023,2023,E08000034,Kirklees,male,Male
"""


def test_a_table_arrives_whole_and_its_figures_are_the_publishers(standin: StandIn, client_for: ClientFor) -> None:
    payload = sources.fetch(PAY, client_for(standin))
    parsed = ons_v4.parse(payload.content, PAY)
    cells = figures_of(SHARED_DATA).table("gross-median-weekly-pay").cells
    assert payload.edition == "2022, version 2"
    assert payload.row_count == 2 * len(cells)
    assert parsed.rows_read == len(parsed.figures) + len(parsed.set_aside) + parsed.out_of_scope == len(cells)
    found = parsed.figures.set_index(["area_code", "period"])["value"].dropna()
    expected = {
        (area, f"{period[:4]}-01-01/P1Y"): cell.value
        for (area, period), cell in cells.items()
        if cell.value is not None
    }
    assert all(found[key] == expected[key] for key in found.index)
    assert len(found) > 6_000
    assert (parsed.figures.loc[parsed.figures["value"].isna(), "status"] == "not_available").all()


def test_the_value_column_is_found_in_any_case_after_a_byte_order_mark() -> None:
    query = PAY.model_copy(update={"select": {"Sex": "All"}})
    parsed = ons_v4.parse(LOWER_CASE, query)
    assert parsed.figures[["area_code", "value", "status", "source_row"]].to_numpy(
        dtype=object, na_value=None
    ).tolist() == [
        ["E08000034", 71.5, "ok", 2],
        ["E06000053", None, "not_available", 3],
    ]
    assert parsed.out_of_scope == 1


def test_options_that_nobody_chose_between_are_not_mixed_up() -> None:
    with pytest.raises(UnreadablePayload, match="several options of 'sex' are left"):
        ons_v4.parse(LOWER_CASE, PAY.model_copy(update={"select": {}}))


def test_whether_anything_changed_is_asked_without_the_table(standin: StandIn, client_for: ClientFor) -> None:
    held = sources.fetch(PAY, client_for(standin))
    before = standin.count("/downloads/")
    assert sources.is_unchanged(PAY, held, client_for(standin))
    assert standin.count("/downloads/") == before


def test_an_unknown_data_set_is_told_in_the_publishers_words(standin: StandIn, client_for: ClientFor) -> None:
    with pytest.raises(RequestRefused, match="status 404: dataset not found"):
        sources.fetch(PAY.model_copy(update={"dataset": "no-such-table"}), client_for(standin))


def test_retry_after_is_honoured(standin: StandIn, client_for: ClientFor, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("pipeline.sources.http.time.sleep", pauses.append)
    standin.faults.switch_on("rate_limited_once", "/downloads/")
    assert sources.fetch(PAY, client_for(standin)).row_count
    assert pauses == [1.0]


@pytest.mark.parametrize(
    ("fault", "failure", "words"),
    [
        ("plain_text_error", RequestRefused, "500 4 times for .* internal error"),
        ("rate_limited", RequestRefused, "429"),
        ("truncated_body", Incomplete, "cut off after"),
        ("dropped_connection", Incomplete, "broke off"),
        ("html_200", WrongContent, "an HTML page"),
        ("empty_200", WrongContent, "empty body"),
        ("wrong_column", WrongContent, "expected a first column like 'v4_1'"),
    ],
)
def test_a_fault_ends_in_a_named_failure(
    standin: StandIn,
    client_for: ClientFor,
    monkeypatch: pytest.MonkeyPatch,
    fault: str,
    failure: type[SourceError],
    words: str,
) -> None:
    monkeypatch.setattr("pipeline.sources.http._retry_after_seconds", lambda value: 0.01 if value else None)
    standin.faults.switch_on(fault, "/downloads/")
    with pytest.raises(failure, match=words):
        sources.fetch(PAY, client_for(standin))
