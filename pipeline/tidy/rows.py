"""Shared by the parsers of published files: which area codes are held, and setting bad rows aside with a reason."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from pipeline.tidy.observations import PARSED_COLUMNS, Parsed, parse_period

# Countries, nations, regions, combined authorities, counties and districts: the levels that this project holds.
_HELD = r"(?:K0[234]|[EWSN]92|E12|E47|E10|E0[6-9]|W06|S12|N09)[0-9]{6}"
# International territorial levels, metropolitan counties, Inner and Outer London, city regions outside England, and
# "UK less Extra-Regio": real areas in ONS publications that this project does not hold.
_OTHER = r"TL[A-Z0-9]{1,3}|(?:E11|E13|N34|W42|K99)[0-9]{6}"


def is_held(codes: pd.Series) -> pd.Series:
    """True if a code's form is that of a level that this project holds."""
    return _matches(codes, _HELD)


def is_of_another_level(codes: pd.Series) -> pd.Series:
    """True if a code is of a known level that this project does not hold."""
    return _matches(codes, _OTHER)


def _matches(codes: pd.Series, pattern: str) -> pd.Series:
    """Whether each code matches in full. A table repeats its few hundred codes, so each is checked once."""
    unique = pd.Series(codes.unique(), dtype="str")
    return codes.isin(unique[unique.str.fullmatch(pattern).astype(bool)])


# Characters allowed around a figure. Python's own ``strip`` removes control characters too, but "\x1f7.5" may well be a
# damaged "17.5", so it is not a number.
BLANKS = " \t\r\n\u00a0"

# No ``nan``, ``inf``, thousands separators, underscores or digits of other scripts, all of which Python would accept.
_PLAIN_NUMBER = re.compile(r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?")


def plain_number(text: str) -> float:
    """A plain decimal number, parsed exactly as Python's ``float`` does; NaN for anything else, and for overflow."""
    text = text.strip(BLANKS)
    number = float(text) if _PLAIN_NUMBER.fullmatch(text) else np.nan
    return number if np.isfinite(number) else np.nan


def plain_numbers(text: pd.Series) -> pd.Series:
    """Numbers as float64; NaN for a blank, and for text that is not a plain decimal number.

    pandas' own parser may be one bit off in the last place, which would break equality with the source.
    """
    return pd.Series([plain_number(cell) for cell in text], index=text.index, dtype="float64")


def periods_are_iso(periods: pd.Series) -> pd.Series:
    """True if ``parse_period`` can read the period."""

    def readable(text: str) -> bool:
        try:
            parse_period(text)
        except ValueError:
            return False
        return True

    return periods.map({text: readable(text) for text in periods.unique()}).astype(bool)


def first_reason(index: pd.Index, *findings: tuple[pd.Series, str]) -> pd.Series:
    """The first sentence whose condition holds for a row, else an empty string."""
    reasons = pd.Series("", index=index, dtype="str")
    for condition, sentence in findings:
        if not condition.any():
            continue
        reasons = reasons.mask(condition & (reasons == ""), sentence)
    return reasons


def split(table: pd.DataFrame, reasons: pd.Series, *, out_of_scope: int = 0) -> Parsed:
    """Divide the rows of ``table`` (PARSED_COLUMNS and ``raw_line``) into figures and rows set aside.

    A row is set aside if ``reasons`` has a sentence for it, or if it shares area and period with another row.
    """
    twice = table.duplicated(["area_code", "period"], keep=False) & (reasons == "")
    if twice.any():
        reasons = reasons.mask(twice, "the table has more than one row for this area and period")
    aside = reasons != ""
    set_aside = table.loc[aside, ["source_row", "area_code", "period", "raw_line"]].assign(reason=reasons[aside])
    return Parsed(
        figures=table.loc[~aside, list(PARSED_COLUMNS)].reset_index(drop=True),
        set_aside=set_aside[["source_row", "area_code", "period", "reason", "raw_line"]].reset_index(drop=True),
        rows_read=len(table) + out_of_scope,
        out_of_scope=out_of_scope,
    )
