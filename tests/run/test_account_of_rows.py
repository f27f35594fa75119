"""Rows in are rows out and rows set aside, in every run; `test_account_in_reports` has what is shown of it."""

from __future__ import annotations

import pytest

from pipeline.run.assemble import ACCOUNT_IN, ACCOUNT_OUT, RowsLost, check_account
from pipeline.run.context import Run
from pipeline.run.refresh import Outcome


def test_the_account_of_a_run_adds_up_and_agrees_with_the_published_file(
    offline_run: tuple[Run, Outcome], rows
) -> None:
    account = offline_run[1].account
    assert sum(account[name] for name in ACCOUNT_IN) == sum(account[name] for name in ACCOUNT_OUT) > 100_000
    published = account["rows that came of those on today's map"] + account["rows made for wider areas and groups"]
    assert rows("select count(*) from fct_observation") == [(published,)]
    [(read, aside, collapsed)] = rows("select rows_read, rows_set_aside, rows_collapsed from meta_run")
    assert read == account["rows read"]
    assert collapsed == account["the same figure under two codes"]
    assert aside == sum(count for name, count in account.items() if name.startswith("set aside"))


def test_a_row_that_went_nowhere_stops_the_run() -> None:
    account = dict.fromkeys((*ACCOUNT_IN, *ACCOUNT_OUT), 1) | {"rows read": 6}
    check_account(account)
    with pytest.raises(RowsLost, match="9 rows were read or computed, 8 are accounted for"):
        check_account(account | {"rows read": 7})
