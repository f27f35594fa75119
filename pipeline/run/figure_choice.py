"""Which figure stands where several speak of the same area, period and indicator: one rule, in one place.

1. A part of an indicator speaks only for the districts of its own nations; wider areas it may all give.
2. A figure beats a blank. A figure that its publisher withholds is no blank: no other takes its place.
3. What a publisher gives beats what is computed here from districts.
4. A newer edition beats an older one: an older edition only fills what the newer has no figure of.
5. Among the parts of an indicator, which are tables of their own, the part listed first in the catalogue.

`pipeline.run.older_editions` decides which of two answers to the same query is the newer edition.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from pipeline.numerals import rounded
from pipeline.tidy.observations import QUARANTINE_COLUMNS

KEY = ["indicator_id", "area_code", "period"]
# A row without a value that says no more than that there is none. Any other row without a value is withheld.
BLANK_STATUS = "not_available"
NATION_NAMES: Mapping[str, str] = {"E": "England", "W": "Wales", "S": "Scotland", "N": "Northern Ireland"}


@dataclass(frozen=True)
class Offer:
    """Figures that one edition of one part gives, or that were computed; ``words`` says whose in a sentence."""

    words: str
    rows: pd.DataFrame


def is_blank(rows: pd.DataFrame) -> pd.Series:
    """Which rows have neither a value nor a publisher's word that one is withheld."""
    return rows["value"].isna() & rows["status"].astype("str").eq(BLANK_STATUS)


def for_own_nations(
    rows: pd.DataFrame, nations: Collection[str], nation_of_district: Mapping[str, str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split a part's rows into those it speaks for and, with their reason, those of other nations' districts.

    ``nations`` are letters (E, W, S, N), ``nation_of_district`` gives the letter of each district's code.
    """
    nation = rows["area_code"].astype("str").map(nation_of_district)
    is_other = nation.notna() & ~nation.isin(list(nations))
    own = ", ".join(NATION_NAMES[letter] for letter in NATION_NAMES if letter in nations)
    return rows[~is_other], _set_aside(rows[is_other], f"this part of the indicator speaks for districts of {own} only")


def choose(offers: Sequence[Offer]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One row for each indicator, area and period, of offers in the order in which they are preferred.

    Returns (the rows that stand, in the order in which they came; the others in QUARANTINE_COLUMNS with the reason, and
    ``offer``, the number of the offer they stood in).
    """
    joined = pd.concat([offer.rows.assign(offer=n) for n, offer in enumerate(offers)], ignore_index=True)
    several = joined[joined.duplicated(KEY, keep=False)]
    ranked = several.assign(is_blank=is_blank(several)).sort_values(["is_blank", "offer"], kind="stable")
    is_beaten = ranked.duplicated(KEY)
    beaten, stands = ranked[is_beaten], ranked[~is_beaten].set_index(KEY)
    if beaten.empty:
        return joined.drop(columns="offer"), _set_aside(beaten, "").assign(offer=beaten["offer"])
    winners = stands.loc[pd.MultiIndex.from_frame(beaten[KEY]), ["value", "offer"]]
    reasons = [
        _why(mine, theirs, offers[offer].words)
        for mine, theirs, offer in zip(beaten["value"], winners["value"], winners["offer"], strict=True)
    ]
    set_aside = _set_aside(beaten, reasons).assign(offer=beaten["offer"])
    return joined.drop(index=beaten.index).drop(columns="offer").reset_index(drop=True), set_aside


def missing_from(newer: pd.DataFrame, older: pd.DataFrame, wider_areas: Collection[str]) -> pd.DataFrame:
    """The figures of an older edition for wider areas and years of which the newer edition has none.

    They come under the newer edition's own period of that year, since two tables may word one year in two ways. Years
    with several periods are left alone, and so are years the newer edition does not speak of, which it may have withdrawn.
    """
    period_columns = ["period", "period_start", "period_end"]
    periods = newer[["year", *period_columns]].drop_duplicates()
    periods = periods[~periods.duplicated("year", keep=False)].set_index("year")
    cells = ["area_code", "year"]
    given = pd.MultiIndex.from_frame(newer.loc[~is_blank(newer), cells])
    wanted = older[
        older["area_code"].isin(list(wider_areas)) & older["value"].notna() & older["year"].isin(periods.index)
    ]
    wanted = wanted[~pd.MultiIndex.from_frame(wanted[cells]).isin(given) & ~wanted.duplicated(cells, keep=False)]
    return wanted.assign(**{name: periods.loc[wanted["year"], name].to_numpy() for name in period_columns})


def _why(mine: float, theirs: float, words: str) -> str:
    if math.isnan(mine):
        return f"there is no figure in this row; {words} {'has none either' if math.isnan(theirs) else 'gives one'}"
    if math.isnan(theirs):
        return f"{words} says that the figure is withheld where this row gives {rounded(mine)}"
    if mine == theirs:
        return f"{words} gives the same figure ({rounded(mine)})"
    return f"{words} gives {rounded(theirs)} where this row gives {rounded(mine)}, and comes first"


def _set_aside(rows: pd.DataFrame, reason: str | list[str]) -> pd.DataFrame:
    value = rows["value"].astype("str").fillna("")
    line = rows["area_code"].astype("str") + "," + rows["period"].astype("str") + "," + value
    return rows.assign(reason=reason, raw_line=line).reindex(columns=list(QUARANTINE_COLUMNS))
