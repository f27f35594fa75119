"""Marks that publishers put in place of a figure, or attach to one: one table a publisher, all read in the same way.

The same sign means different things to different publishers: ``x`` is "not available" in the government's shorthand and
"unreliable" in ASHE's tables. So each publisher has its own table here, and no parser has its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.tidy.rows import BLANKS, plain_number

# Statuses that say there is no figure; a figure with such a status is rejected.
WITHOUT_FIGURE = ("not_available", "suppressed")

# The shorthand of the Government Analysis Function ("Using symbols and shorthand", 2022), with or without brackets, as
# used in Explore Local Statistics and the new tables of ONS. A figure too low to be shown counts as withheld, like
# Nomis's "less than 500". A revised figure is an ordinary one: the project keeps revisions by edition.
SHORTHAND: Mapping[str, str] = {
    "c": "suppressed",  # confidential
    "e": "estimated",
    "k": "suppressed",  # low figure, as StatsWales writes it
    "low": "suppressed",
    "p": "provisional",
    "r": "ok",  # revised
    "u": "unreliable",  # low reliability
    "w": "not_available",  # none recorded in the survey
    "x": "not_available",
    "z": "not_available",  # not applicable
}
# The symbols of Nomis's downloads (WIRE_FORMATS section 1.5) and of older tables of ONS.
SYMBOLS: Mapping[str, str] = {
    "!": "suppressed",  # disclosive: 0 to 2 people asked
    "#": "suppressed",  # too few asked for an estimate
    "*": "unreliable",  # 3 to 9 people asked
    "~": "suppressed",  # less than 500
    "..": "suppressed",  # disclosive
    ".": "not_available",
    ":": "not_available",  # not applicable
    "-": "not_available",  # missing, nil or negligible
}
NOMIS: Mapping[str, str] = {**SHORTHAND, **SYMBOLS}
ELS: Mapping[str, str] = NOMIS
# The key of ASHE's workbooks, and the "Data Marking" of the ONS dataset API, whose pay tables come from them.
ASHE: Mapping[str, str] = {**NOMIS, "x": "unreliable"}  # coefficient of variation above 20 per cent

_STUCK = re.compile(r"(?P<number>.*?[0-9.])\s*(?P<mark>\[[A-Za-z]+\](?:\s*\[[A-Za-z]+\])*|[*!#~])")
_BRACKETED = re.compile(r"\[([A-Za-z]+)\]")
# From the mildest to the gravest, which decides if a figure carries several.
_SEVERITY = ("ok", "estimated", "provisional", "unreliable", "not_available", "suppressed")


def status_of(mark: str, marks: Mapping[str, str]) -> str:
    """The status of a mark on its own, in any case and with or without brackets; '' for an unknown one.

    Of several marks in brackets (``[r][e]``) the gravest counts; if one is unknown, so is the whole.
    """
    plain = mark.strip().casefold()
    found = _BRACKETED.findall(plain)
    if found and not _BRACKETED.sub("", plain).strip():
        statuses = [marks.get(name, "") for name in found]
        return max(statuses, key=_SEVERITY.index) if all(statuses) else ""
    return marks.get(plain, "")


@dataclass(frozen=True)
class Cell:
    """The contents of one cell: ``number`` (NaN for none), and the ``status`` of its mark ('' without a mark)."""

    number: float
    status: str = ""
    is_unreadable: bool = False


def read_cell(text: str, marks: Mapping[str, str]) -> Cell:
    """A blank, a plain number, a mark (``[c]``, ``..``), or a number with a mark (``72.3*``, ``72.3 [p]``)."""
    text = text.strip(BLANKS)
    if not text:
        return Cell(np.nan)
    number = plain_number(text)
    if not np.isnan(number):
        return Cell(number)
    if status := status_of(text, marks):
        return Cell(np.nan, status)
    stuck = _STUCK.fullmatch(text)
    if stuck is not None:
        number, status = plain_number(stuck["number"]), status_of(stuck["mark"], marks)
        if status and not np.isnan(number):
            return Cell(number, status)
    return Cell(np.nan, is_unreadable=True)


@dataclass(frozen=True)
class Cells:
    """A column of figures as arrays, one entry a row: see Cell."""

    number: np.ndarray
    status: np.ndarray
    is_unreadable: np.ndarray

    def decide(self, status: pd.Series) -> pd.Series:
        """A table's own column of statuses; where it says "ordinary", the status of the mark on the figure."""
        return status.mask((status == "ok") & (self.status != ""), pd.Series(self.status, index=status.index))


def read_cells(texts: pd.Series, marks: Mapping[str, str]) -> Cells:
    """Every distinct text of a column (without missing ones) read once, as by ``read_cell``."""
    if not len(texts):
        return Cells(np.empty(0), np.empty(0, dtype=object), np.empty(0, dtype=bool))
    column = texts if isinstance(texts.dtype, pd.CategoricalDtype) else texts.astype("category")
    which = column.cat.codes.to_numpy()
    cells = [read_cell(str(text), marks) for text in column.cat.categories]
    statuses = np.array([cell.status for cell in cells], dtype=object)
    no_marks = np.broadcast_to(np.array("", dtype=object), len(which))  # takes no memory, however long the table
    return Cells(
        np.array([cell.number for cell in cells], dtype="float64")[which],
        statuses[which] if any(statuses) else no_marks,
        np.array([cell.is_unreadable for cell in cells], dtype=bool)[which],
    )
