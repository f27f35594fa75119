"""The sums of docs/scaling.md are those of its own figures: who changes one figure changes what follows from it."""

from __future__ import annotations

import re

import pytest

from pipeline.settings import PROJECT_ROOT
from tests.scale.capacity import CELLS_A_REQUEST, COUNCILS, MONTHLY, MONTHS, SMALL_AREAS, YEARLY, YEARS

PAGE = " ".join((PROJECT_ROOT / "docs" / "scaling.md").read_text(encoding="utf-8").split())
AREAS = sum(SMALL_AREAS.values())
ROWS = AREAS * (MONTHLY * MONTHS + YEARLY * YEARS)


def number(pattern: str) -> float:
    """The number that stands in the page at the place of the pattern's group."""
    [found] = re.findall(pattern, PAGE)
    return float(found.replace(",", ""))


def test_areas_and_rows() -> None:
    assert all(f"{count:,}" in PAGE for count in SMALL_AREAS.values())
    assert number(r"\(NISRA, 2021\): ([0-9,]+)\.") == AREAS
    assert number(r"= \*\*([0-9]+) million rows\*\*") == round(ROWS / 1e6)
    assert number(r"million rows\*\*, ([0-9]+) times today") == round(ROWS / 1e6 / number(r"([0-9.]+) million figures"))


@pytest.mark.parametrize(
    ("form", "digits"), [(r"as Nomis sends it \(CSV\)", 1), ("in the published DuckDB file", 2), ("as Parquet", 2)]
)
def test_bytes_of_a_row_make_the_gigabytes_of_all(form: str, digits: int) -> None:
    bytes_a_row, gigabytes = (
        number(rf"\| {form} \| {cells}") for cells in (r"([0-9.]+) \|", r"[0-9.]+ \| ([0-9.]+) GB")
    )
    assert gigabytes == pytest.approx(ROWS * bytes_a_row / 1e9, abs=2 * 10**-digits)


def test_editions_and_their_price() -> None:
    one = number(r"as Nomis sends it \(CSV\) \| [0-9.]+ \| ([0-9.]+) GB")
    assert number(r"([0-9]+) GB with 12 editions kept \(`IG_KEEP_SNAPSHOTS`\)") == round(12 * one)
    two = number(r"([0-9]+) GB with 2\.")
    assert two == round(2 * one)
    assert number(r"13 GB cost ([0-9]+) cents") == round(100 * two * number(r"([0-9.]+) USD a GB and month"))


def test_requests_of_one_series_and_of_all_councils() -> None:
    cells = SMALL_AREAS["England and Wales"] * MONTHS
    requests = -(-cells // CELLS_A_REQUEST)
    assert number(r"million cells: ([0-9]+) requests") == requests
    assert number(r"\(100,000 cells\) it is ([0-9]+) requests") == -(-cells // 100_000)
    assert number(r"Small areas would add 229 × 350 = ([0-9,]+) requests") == requests * COUNCILS
    first, usual = (
        number(r"makes some ([0-9]+) requests on its first night"),
        number(r"and ([0-9]+) on one without news"),
    )
    assert number(r"together ([0-9,]+) once") == COUNCILS * first
    assert number(r"once and ([0-9,]+) every night") == COUNCILS * usual


def test_what_readers_cost() -> None:
    file_megabytes = number(r"download the ([0-9]+) MB file every day")
    gigabytes = COUNCILS * 30 * file_megabytes / 1000
    assert number(r"every day take ([0-9]+) GB a month") == pytest.approx(gigabytes, abs=1)
    price = number(r"([0-9.]+) USD a GB to the internet")
    assert number(r"GB a month, about ([0-9]+) USD") == round((gigabytes - 100) * price)


def test_scores_of_all_small_areas() -> None:
    megabytes, scored = (
        number(rf"would be {place} ") for place in ("([0-9]+) MB × [0-9,]+ /", "[0-9]+ MB × [0-9,]+ / ([0-9]+) =")
    )
    assert scored == number(r"\(([0-9]+) scored areas with the wider ones\)")
    assert number(r"/ [0-9]+ = \*\*([0-9]+) GB\*\*") == round(megabytes * AREAS / scored / 1000)
