"""Queries to the indices of deprivation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import model_validator

from pipeline.publishers.query import Query

SmallAreaIndex = Literal["iod2019", "iod2025", "wimd2019", "wimd2025", "simd2020", "nimdm2017"]


class SmallAreaQuery(Query):
    """District figures computed from the small areas of one nation's index of deprivation, as a file.

    ``source`` is the publisher's site. ``measure`` is the average score of all deprivation (England), the inequality of
    income deprivation within the district (if rates are published), or the share of small areas among their nation's
    most deprived tenth (if ranks are). The nations' indices do not compare, so a query has one nation.
    """

    source: Literal["govuk", "gov_wales", "gov_scot", "nisra"]
    index: SmallAreaIndex
    measure: Literal["average_score", "income_gap", "income_concentration", "most_deprived_tenth"]

    @model_validator(mode="after")
    def index_can_give_it(self) -> SmallAreaQuery:
        if (self.source, self.measure) not in MEASURES_OF_INDEX[self.index]:
            can = ", ".join(f"{measure} from {source}" for source, measure in MEASURES_OF_INDEX[self.index])
            raise ValueError(f"{self.index} gives {can}; not {self.measure} from {self.source}")
        return self

    @property
    def table(self) -> str:
        return self.index


_ENGLISH = (("govuk", "average_score"), ("govuk", "income_gap"), ("govuk", "income_concentration"))
MEASURES_OF_INDEX: Mapping[str, tuple[tuple[str, str], ...]] = {
    "iod2019": _ENGLISH,
    "iod2025": _ENGLISH,
    "wimd2019": (("gov_wales", "most_deprived_tenth"),),
    "wimd2025": (("gov_wales", "most_deprived_tenth"),),
    "simd2020": (("gov_scot", "income_gap"), ("gov_scot", "income_concentration")),
    "nimdm2017": (("nisra", "income_gap"), ("nisra", "income_concentration")),
}

QUERY = SmallAreaQuery
