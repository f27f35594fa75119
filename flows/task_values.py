"""Values that tasks are given as they are."""

from __future__ import annotations

from typing import TypeVar, cast

from prefect.utilities.annotations import quote

T = TypeVar("T")


def as_is(value: T) -> T:
    """Pass a value as it is: without this, Prefect walks through every data frame in search of futures."""
    return cast(T, quote(value))
