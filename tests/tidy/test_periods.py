"""ISO periods become a first day, a last day and the year that holds the middle."""

from __future__ import annotations

import datetime as dt

import pytest

from pipeline.tidy.observations import parse_period


@pytest.mark.parametrize(
    ("text", "start", "end", "year"),
    [
        ("2023-01-01/P1Y", dt.date(2023, 1, 1), dt.date(2023, 12, 31), 2023),
        ("2024-01-01/P1Y", dt.date(2024, 1, 1), dt.date(2024, 12, 31), 2024),
        ("2021-04-01/P1Y", dt.date(2021, 4, 1), dt.date(2022, 3, 31), 2021),
        ("2022-01-01/P3Y", dt.date(2022, 1, 1), dt.date(2024, 12, 31), 2023),
        ("2026-04-01/P1M", dt.date(2026, 4, 1), dt.date(2026, 4, 30), 2026),
        ("2023-12-01/P1M", dt.date(2023, 12, 1), dt.date(2023, 12, 31), 2023),
        ("2024-02-01/P1M", dt.date(2024, 2, 1), dt.date(2024, 2, 29), 2024),
        ("2025-04-30", dt.date(2025, 4, 30), dt.date(2025, 4, 30), 2025),
        ("2025-04-05", dt.date(2025, 4, 5), dt.date(2025, 4, 5), 2025),
    ],
)
def test_a_period_gives_its_days_and_the_year_of_its_middle(text: str, start: dt.date, end: dt.date, year: int) -> None:
    period = parse_period(text)
    assert (period.start, period.end, period.year) == (start, end, year)


@pytest.mark.parametrize(
    "text", ["", "2023", "2023-04", "2023-13-01", "2023-02-30", "2023-01-01/P0Y", "2023-01-01/P1W", "1 April 2023"]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"period|month|day"):
        parse_period(text)
