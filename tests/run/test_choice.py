"""The rule by which one figure stands of several for an area, a period and an indicator."""

from __future__ import annotations

import pandas as pd
import pytest

from pipeline.run.figure_choice import Offer, choose, for_own_nations, missing_from
from pipeline.tidy.observations import parse_period

NAN = float("nan")
WARWICKSHIRE, LEEDS, BELFAST = "E10000031", "E08000035", "N09000003"
Row = tuple[str, str, float, str]


def table(*rows: Row, source_id: str = "nomis") -> pd.DataFrame:
    """Observations of one indicator from (area, period, value, status)."""
    frame = pd.DataFrame(rows, columns=["area_code", "period", "value", "status"])
    read = [parse_period(text) for text in frame["period"]]
    return frame.assign(
        indicator_id="pay",
        source_id=source_id,
        source_row=range(2, len(rows) + 2),
        year=[period.year for period in read],
        period_start=[period.start for period in read],
        period_end=[period.end for period in read],
    )


def stands(*offers: pd.DataFrame) -> tuple[list[float], list[str]]:
    """The values that stand, and the reasons why the others do not."""
    names = ("the first", "the second", "the third")
    chosen, beaten = choose([Offer(name, rows) for name, rows in zip(names, offers, strict=False)])
    assert len(chosen) + len(beaten) == sum(map(len, offers)), "no row is lost"
    return chosen["value"].tolist(), beaten["reason"].tolist()


YEAR = "2023-01-01/P1Y"
FIGURE, OTHER = (LEEDS, YEAR, 600.0, "ok"), (LEEDS, YEAR, 500.0, "ok")
BLANK, WITHHELD = (LEEDS, YEAR, NAN, "not_available"), (LEEDS, YEAR, NAN, "suppressed")


@pytest.mark.parametrize(
    ("first", "second", "value", "reason"),
    [
        (FIGURE, OTHER, 600.0, "the first gives 600 where this row gives 500, and comes first"),
        (FIGURE, FIGURE, 600.0, "the first gives the same figure (600)"),
        (BLANK, OTHER, 500.0, "there is no figure in this row; the second gives one"),
        (FIGURE, BLANK, 600.0, "there is no figure in this row; the first gives one"),
        (BLANK, BLANK, NAN, "there is no figure in this row; the first has none either"),
        (WITHHELD, OTHER, NAN, "the first says that the figure is withheld where this row gives 500"),
        (BLANK, WITHHELD, NAN, "there is no figure in this row; the second has none either"),
    ],
)
def test_a_figure_beats_a_blank_and_else_the_first_stands(first: Row, second: Row, value: float, reason: str) -> None:
    values, reasons = stands(table(first), table(second))
    assert values == pytest.approx([value], nan_ok=True)
    assert reasons == [reason]


def test_the_third_offer_stands_where_the_first_two_are_blank_and_other_areas_are_left_alone() -> None:
    values, reasons = stands(table(BLANK, (BELFAST, YEAR, 1.0, "ok")), table(BLANK), table(OTHER))
    assert values == [1.0, 500.0]
    assert len(reasons) == 2


def test_a_part_speaks_for_the_districts_of_its_own_nations_and_for_any_wider_area() -> None:
    rows = table(FIGURE, (BELFAST, YEAR, NAN, "not_available"), ("N92000002", YEAR, 70.0, "ok"))
    own, others = for_own_nations(rows, ("E", "W", "S"), {LEEDS: "E", BELFAST: "N"})
    assert own["area_code"].tolist() == [LEEDS, "N92000002"]
    assert others["area_code"].tolist() == [BELFAST]
    assert others["raw_line"].tolist() == [f"{BELFAST},{YEAR},"]
    assert others["reason"].tolist() == [
        "this part of the indicator speaks for districts of England, Wales, Scotland only"
    ]


def test_an_older_edition_only_gives_wider_areas_and_years_the_newer_has_no_figure_of() -> None:
    newer = table(
        (LEEDS, "2024-01-01/P1Y", 1.0, "ok"),
        (LEEDS, "2025-01-01/P1Y", 1.0, "ok"),
        ("E12000003", "2025-01-01/P1Y", 3.0, "ok"),
        ("E12000001", "2025-01-01/P1Y", NAN, "not_available"),
        ("E12000002", "2025-01-01/P1Y", NAN, "suppressed"),
    )
    older = table(
        *((area, "2025-04-05", 9.0, "provisional") for area in (WARWICKSHIRE, "E12000001", "E12000002", "E12000003")),
        (LEEDS, "2025-04-05", 9.0, "provisional"),
        ("E07000026", "2025-04-05", 9.0, "provisional"),
        (WARWICKSHIRE, "2023-04-05", 9.0, "ok"),
        (WARWICKSHIRE, "2024-04-05", NAN, "not_available"),
    )
    found = missing_from(newer, older, [WARWICKSHIRE, "E12000001", "E12000002", "E12000003"])
    assert list(found[["area_code", "period", "value", "status"]].itertuples(index=False, name=None)) == [
        (WARWICKSHIRE, "2025-01-01/P1Y", 9.0, "provisional"),
        ("E12000001", "2025-01-01/P1Y", 9.0, "provisional"),
    ]
    assert [day.isoformat() for day in found["period_end"]] == ["2025-12-31"] * 2


def test_months_of_a_year_are_not_completed_by_a_figure_of_the_year() -> None:
    months = table((LEEDS, "2025-01-01/P1M", 1.0, "ok"), (LEEDS, "2025-02-01/P1M", 1.0, "ok"))
    assert missing_from(months, table((WARWICKSHIRE, "2025-01-01/P1Y", 9.0, "ok")), [WARWICKSHIRE]).empty
