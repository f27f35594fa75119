"""The tidy form that every parser returns: one row is one figure for one area, indicator and period."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import pandas as pd

STATUSES = ("ok", "rounded", "provisional", "unreliable", "suppressed", "not_available", "estimated")

# The columns a parser must return; `finish` adds the rest of OBSERVATION_COLUMNS.
PARSED_COLUMNS = ("area_code", "period", "value", "lower", "upper", "status", "source_row")
# The columns a parser may also return: the counts behind a rate, if its publisher gives them.
COUNT_COLUMNS = ("numerator", "denominator")
OBSERVATION_COLUMNS = (
    "area_code",
    "indicator_id",
    "period",
    "period_start",
    "period_end",
    "year",
    "value",
    "lower",
    "upper",
    "standard_error",
    "numerator",
    "denominator",
    "status",
    "source_id",
    "edition",
    "payload_sha256",
    "source_row",
)
QUARANTINE_COLUMNS = ("indicator_id", "source_id", "source_row", "area_code", "period", "reason", "raw_line")

# A 95% interval of a normal estimate is 2 x 1.96 standard errors wide (METHODOLOGY section 6).
INTERVAL_WIDTH_IN_STANDARD_ERRORS = 3.92


class UnreadablePayload(ValueError):
    """The payload as a whole is not the expected table; the message says what was expected and what came."""


@dataclass(frozen=True)
class Parsed:
    """A parsed payload: the figures, the rows set aside, and how many rows were read.

    ``figures`` has PARSED_COLUMNS and may have COUNT_COLUMNS; ``set_aside`` has ``source_row, area_code, period,
    reason, raw_line``. Every row read is in exactly one of them, or counted in ``out_of_scope`` (areas at levels that
    this project does not hold, such as ITL regions), so ``rows_read = len(figures) + len(set_aside) + out_of_scope``.
    ``source_row`` is the 1-based line of the payload (with a header in line 1, the first figure is in line 2).
    ``area_names`` is the publisher's name for each area code, empty if no names were sent.
    """

    figures: pd.DataFrame
    set_aside: pd.DataFrame
    rows_read: int
    out_of_scope: int = 0
    area_names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Period:
    """An ISO 8601 period: first day, last day (inclusive), the year with its midpoint, and its length.

    The length is an ISO 8601 duration in its shortest form: ``P1Y`` for twelve months, ``P1M``, ``P3Y``; ``P1D`` for a day.
    """

    start: dt.date
    end: dt.date
    year: int
    length: str


_PERIOD = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:/P([0-9]{1,3})([YM]))?")


@lru_cache(maxsize=4096)
def parse_period(text: str) -> Period:
    """Read ``2023-01-01/P1Y``, ``2022-01-01/P3Y``, ``2026-04-01/P1M`` or a single day ``2025-04-30``.

    The year is the one with the period's midpoint: 2023 for January to December 2023 and for
    2022 to 2024, 2021 for the financial year April 2021 to March 2022.

    Raises ValueError for anything else.
    """
    match = _PERIOD.fullmatch(text)
    if match is None:
        raise ValueError(f"period {text!r} is not an ISO day or an ISO day with a duration in years or months")
    year, month, day = (int(match[i]) for i in (1, 2, 3))
    start = dt.date(year, month, day)
    if match[4] is None:
        return Period(start, start, start.year, "P1D")
    months = int(match[4]) * (12 if match[5] == "Y" else 1)
    if months == 0:
        raise ValueError(f"period {text!r} has no length")
    after = month - 1 + months
    end_year, end_month = year + after // 12, after % 12 + 1
    last_day = calendar.monthrange(end_year, end_month)[1]
    end = dt.date(end_year, end_month, min(day, last_day)) - dt.timedelta(days=1)
    length = f"P{months // 12}Y" if months % 12 == 0 else f"P{months}M"
    return Period(start, end, (start + (end - start) / 2).year, length)


def finish(
    figures: pd.DataFrame, *, indicator_id: str, source_id: str, edition: str, payload_sha256: str
) -> pd.DataFrame:
    """Add everything that does not depend on the publisher: dates, year, standard error, provenance.

    Takes PARSED_COLUMNS and optionally COUNT_COLUMNS (else missing); returns OBSERVATION_COLUMNS, one row for each
    given.
    Raises ValueError for a period that is not ISO (parsers set such rows aside first).
    """
    position, texts = pd.factorize(figures["period"])
    if (position < 0).any():
        raise ValueError(f"{indicator_id}: a figure without a period; parsers set such rows aside")
    periods = [parse_period(str(text)) for text in texts]
    starts = np.array([period.start for period in periods], dtype="datetime64[us]")
    ends = np.array([period.end for period in periods], dtype="datetime64[us]")
    years = np.array([period.year for period in periods], dtype="int32")
    out = figures.assign(
        indicator_id=indicator_id,
        period_start=starts[position],
        period_end=ends[position],
        year=years[position],
        standard_error=(figures["upper"] - figures["lower"]) / INTERVAL_WIDTH_IN_STANDARD_ERRORS,
        **{name: figures.get(name, np.nan) for name in COUNT_COLUMNS},
        source_id=source_id,
        edition=edition,
        payload_sha256=payload_sha256,
    )
    return out.loc[:, list(OBSERVATION_COLUMNS)].reset_index(drop=True)
