"""Whoever is woken at night finds on the operations page what to do, for every exit code and every gate there is."""

from __future__ import annotations

import re

import pytest

from pipeline import errors, stopping
from pipeline.gates.policy import Gates
from pipeline.run import nightly
from pipeline.settings import PROJECT_ROOT
from pipeline.verbs.nightly import ABOUT

PAGE = (PROJECT_ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
CODES = {name: value for name, value in vars(errors).items() if name.startswith("EXIT_")}
STOPPED = {name: value for name, value in vars(stopping).items() if name.startswith("EXIT_")}
# The gates on answers have a page of their own, docs/gates.md.
GATES = sorted({*Gates.model_fields, "nothing_to_compare_with"} - {"answers"})


def rows(first_cell: str) -> list[list[str]]:
    """The cells of the page's table rows that begin so."""
    return [
        [cell.strip() for cell in line.strip().strip("|").split("|")]
        for line in PAGE.splitlines()
        if line.startswith(f"| {first_cell} |")
    ]


@pytest.mark.parametrize("name", sorted({**CODES, **STOPPED}))
def test_every_exit_code_has_what_happened_and_what_to_do(name: str) -> None:
    (row,) = rows(str({**CODES, **STOPPED}[name]))
    code, happened, what_to_do = row
    assert len(happened) > 20, code
    assert what_to_do, code


def test_no_two_exit_codes_are_the_same_and_the_page_knows_no_other() -> None:
    assert len({*CODES.values(), *STOPPED.values()}) == len(CODES) + len(STOPPED)
    told = {int(code) for code in re.findall(r"^\| (\d+)[ ,]", PAGE, re.MULTILINE)}
    assert told == {*CODES.values(), *STOPPED.values(), 2}, "2 is what argparse ends with"


def test_the_nights_own_help_names_every_code_it_can_end_with() -> None:
    told = {int(code) for code in re.findall(r"^  (\d)  ", ABOUT, re.MULTILINE)}
    assert told == set(CODES.values())
    for code in STOPPED.values():
        assert re.search(rf"\b{code}\b", ABOUT)
        assert re.search(rf"\b{code}\b", nightly.__doc__ or "")
    assert {int(code) for code in re.findall(r"^\* (\d):", nightly.__doc__ or "", re.MULTILINE)} == set(CODES.values())


@pytest.mark.parametrize("gate", GATES)
def test_every_gate_has_what_it_found_the_usual_reasons_and_what_to_do(gate: str) -> None:
    (row,) = rows(f"`{gate}`")
    _, found, reasons, what_to_do = row
    assert min(map(len, (found, reasons, what_to_do))) > 20


def test_the_page_names_no_gate_there_is_not() -> None:
    assert (
        sorted(re.findall(r"^\| `([a-z_]+)` \|", PAGE.partition("| gate |")[2].partition("\n\n")[0], re.MULTILINE))
        == GATES
    )


def test_what_shows_each_promise_of_the_security_page_is_there() -> None:
    promises = (PROJECT_ROOT / "SECURITY.md").read_text(encoding="utf-8")
    named = re.findall(r"`(tests/[^`]+)`", promises)
    assert len(named) > 10
    assert [path for path in named if not (PROJECT_ROOT / path).exists()] == []
