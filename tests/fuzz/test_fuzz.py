"""Whatever arrives is right rows, rows set aside, or a clean refusal: twenty thousand and more mutations of real payloads.

``make fuzz`` runs as many as one likes; a breach names its seed, which makes the payload again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from pipeline.tidy.observations import Parsed
from tests.fuzz.campaign import (
    Tally,
    fuzz_answers,
    fuzz_baseline,
    fuzz_cells,
    fuzz_small_areas,
    fuzz_table,
    fuzz_tables,
    fuzz_workbooks,
)
from tests.fuzz.formats import Table, tables
from tests.fuzz.judging import believed

pytestmark = pytest.mark.slow

SEED = 20261123
TABLE_MUTATIONS, ANSWER_MUTATIONS, CELL_MUTATIONS = 18_000, 1_000, 1_000
SMALL_AREA_MUTATIONS, DAMAGED_WORKBOOKS, DAMAGED_BASELINES = 300, 3, 150


def check(*tallies: Tally) -> int:
    for tally in tallies:
        print(tally)
    breaches = [breach for tally in tallies for breach in tally.breaches]
    assert not breaches, f"{len(breaches)} breaches, first: {breaches[0]}"
    assert all(tally.payloads for tally in tallies)
    return sum(tally.mutations for tally in tallies)


def test_mutated_tables_give_what_their_own_lines_say_or_nothing() -> None:
    tallies = fuzz_tables(TABLE_MUTATIONS, SEED)
    assert check(*tallies) >= TABLE_MUTATIONS
    # Else the mutations would be so coarse that nothing is ever read and nothing proved.
    assert sum(tally.rows_believed for tally in tallies) > 100_000
    assert sum(tally.rows_set_aside for tally in tallies) > 1_000
    assert sum(tally.refused for tally in tallies) > 50


def a_little_more(figures: pd.DataFrame) -> pd.DataFrame:
    return figures.assign(value=figures["value"] * 1.001)


def of_the_line_above(figures: pd.DataFrame) -> pd.DataFrame:
    return figures.assign(value=figures["value"].shift(1).fillna(figures["value"]))


def one_row_fewer(figures: pd.DataFrame) -> pd.DataFrame:
    return figures.drop(index=figures["value"].idxmax())


@pytest.mark.parametrize("bug", [a_little_more, of_the_line_above, one_row_fewer])
def test_a_parser_with_a_planted_bug_does_not_pass(bug: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    """The judge reads lines by itself: a figure that is wrong, another line's, or silently gone is a breach."""
    judged = [form for form in tables() if form.read is not None]
    assert {form.name.split()[0] for form in judged} == {"ELS", "Nomis"}
    for form in judged:
        original = believed(form.parse(form.content), form.indicator)

        def parse(content: bytes, form: Table = form) -> Parsed:
            parsed = form.parse(content)
            figures = bug(parsed.figures)
            gone = len(parsed.figures) - len(figures)
            return replace(parsed, figures=figures, rows_read=parsed.rows_read - gone)  # a bug that hides itself

        tally = Tally(form.name)
        while not tally.breaches and tally.payloads < 12:
            fuzz_table(replace(form, parse=parse, changes=1), original, tally, f"planted:{tally.payloads}")
        assert tally.breaches, f"{form.name}: {bug.__name__} was not found in {tally.payloads} payloads"


def test_mutated_answers_of_services_make_a_payload_that_can_be_kept_or_a_named_failure() -> None:
    assert check(*fuzz_answers(ANSWER_MUTATIONS, SEED)) >= ANSWER_MUTATIONS


def test_mutated_small_areas_are_read_as_they_stand_or_the_file_is_refused() -> None:
    tally = fuzz_small_areas(SMALL_AREA_MUTATIONS, SEED)
    assert check(tally) >= SMALL_AREA_MUTATIONS
    assert tally.refused < tally.payloads


def test_changed_cells_of_workbooks_are_read_as_they_stand_or_the_workbook_is_refused() -> None:
    tallies = fuzz_cells(CELL_MUTATIONS, SEED)
    assert check(*tallies) >= CELL_MUTATIONS
    assert all(tally.refused < tally.payloads for tally in tallies)


def test_damaged_workbooks_are_refused_or_read_as_before() -> None:
    check(*fuzz_workbooks(DAMAGED_WORKBOOKS, SEED))


def test_a_damaged_file_of_the_baseline_is_never_read(tmp_path: Path) -> None:
    check(fuzz_baseline(DAMAGED_BASELINES, SEED, tmp_path))
