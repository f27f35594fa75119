"""Queries to Nomis."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from pipeline.publishers.query import Entry, Identifier, Query


class NomisCode(Entry):
    """One option of a Nomis dimension: the code to request and the name that must come back with it.

    Without a code, it is looked up by name in the data set's own definition. ``or_named`` are equivalent wordings, for
    a data set whose definition has not been seen.
    """

    code: int | None = None
    name: str
    or_named: tuple[str, ...] = ()

    def is_named(self, name: str) -> bool:
        """Whether ``name`` is one of its names, ignoring case and surplus blanks (some of Nomis's names end in one)."""
        return _plain(name) in {_plain(own) for own in (self.name, *self.or_named)}


def _plain(name: str) -> str:
    return " ".join(name.split()).casefold()


class NomisDates(Entry):
    """The periods to request: those ending in one of ``months`` (omit for yearly data sets), from a year on.

    ``to_year`` ends a series that was discontinued.
    """

    from_year: int = Field(ge=1990)
    to_year: int | None = Field(default=None, ge=1990)
    months: tuple[Annotated[int, Field(ge=1, le=12)], ...] | None = None


class NomisQuery(Query):
    """A slice of a Nomis data set: one option of each dimension, the value and its companions.

    These are its error and, for a rate, its numerator and denominator. ``geography`` lists geography types by code, and
    kinds of wider area, whose type is looked up in the data set's own list. ``asked_together`` lists, for a dimension,
    the options (including this query's own) that one request fetches for several indicators. Queries that differ only
    in which of those they want share their answer.
    """

    source: Literal["nomis"]
    dataset: Annotated[str, Field(pattern=r"^NM_\d+_\d+$")]
    geography: tuple[Annotated[str, Field(pattern=r"^(TYPE\d+|counties|combined_authorities)$")], ...]
    dates: NomisDates
    dimensions: dict[Identifier, NomisCode]
    value_measure: int
    error_measure: int | None = None
    error_form: Literal["cv", "half_width"] | None = None
    numerator_measure: int | None = None
    denominator_measure: int | None = None
    asked_together: dict[Identifier, tuple[NomisCode, ...]] = Field(default={})

    @model_validator(mode="after")
    def measures_come_in_pairs(self) -> NomisQuery:
        if (self.error_measure is None) != (self.error_form is None):
            raise ValueError("error_measure and error_form go together")
        if (self.numerator_measure is None) != (self.denominator_measure is None):
            raise ValueError("numerator_measure and denominator_measure go together")
        for dimension, options in self.asked_together.items():
            if self.dimensions.get(dimension) not in options:
                raise ValueError(f"asked_together must list the query's own option of '{dimension}'")
        return self

    @property
    def measures(self) -> tuple[int, ...]:
        """The codes of all requested measures, the value first."""
        others = (self.error_measure, self.numerator_measure, self.denominator_measure)
        return (self.value_measure, *(code for code in others if code is not None))

    @property
    def options(self) -> dict[str, tuple[NomisCode, ...]]:
        """The options requested for each dimension: one, or those requested together."""
        return {name: self.asked_together.get(name, (option,)) for name, option in self.dimensions.items()}

    @property
    def table(self) -> str:
        return self.dataset


QUERY = NomisQuery
