"""`python -m pipeline query "select …"`."""

from __future__ import annotations

import argparse
import csv
import sys
from itertools import islice
from typing import TYPE_CHECKING

from pipeline.errors import EXIT_OK
from pipeline.numerals import rounded
from pipeline.spreadsheet import disarmed
from pipeline.verbs.common import Verbs, add_verb
from pipeline.verbs.releases import add_as_of, database_to_read

if TYPE_CHECKING:
    from pipeline.reading import Answer

# Rows besides those shown are counted up to here; counting needs them all.
_MOST_COUNTED = 1_000_000

ABOUT = """Run one SELECT on the published file, which is opened read-only.

  python -m pipeline query "show tables"
  python -m pipeline query "describe mart_score"
  python -m pipeline query "select area_name, sharing_score from mart_area_profile order by 2 desc limit 5"
"""


def add_to(verbs: Verbs) -> None:
    parser = add_verb(verbs, "query", "run SQL on the published file, read-only", ABOUT, run)
    parser.add_argument("sql", help="the SQL statement; - reads it from standard input")
    parser.add_argument("--csv", action="store_true", help="print all rows as CSV instead of a table")
    parser.add_argument(
        "--limit", type=_rows_to_show, default=50, metavar="N", help="number of rows to show in the table (default 50)"
    )
    add_as_of(parser)


def run(arguments: argparse.Namespace) -> int:
    from pipeline.reading import asked
    from pipeline.settings import settings_from_environment

    sql = sys.stdin.read() if arguments.sql == "-" else arguments.sql
    with (
        database_to_read(settings_from_environment(), arguments.as_of) as database,
        asked(database, sql) as answer,
    ):
        if arguments.csv:
            _print_csv(answer)
        else:
            _print_first(answer, arguments.limit)
    return EXIT_OK


def _rows_to_show(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of rows")
    return int(text)


def _print_csv(answer: Answer) -> None:
    """All rows as CSV, written as they come, in the form of the exported files: empty where missing, true and false."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(map(disarmed, answer.names))
    writer.writerows(map(_cells_of_csv, answer))


def _cells_of_csv(row: tuple[object, ...]) -> list[object]:
    return ["" if cell is None else str(cell).lower() if isinstance(cell, bool) else disarmed(cell) for cell in row]


def _print_first(answer: Answer, most: int) -> None:
    """The first rows for people, and how many there are besides."""
    rows = list(islice(answer, most))
    if answer.names and (rows or most == 0):
        _print_for_people(answer.names, rows)
    besides = sum(1 for _ in islice(answer, _MOST_COUNTED + 1))
    if besides > _MOST_COUNTED:
        print(f"... more than {_MOST_COUNTED:,} more rows; --csv prints all, --limit N more")
    elif besides:
        print(f"... {besides:,} more {'row' if besides == 1 else 'rows'}; --csv prints all, --limit N more")
    elif not rows:
        print("no rows")


def _print_for_people(names: list[str], rows: list[tuple[object, ...]]) -> None:
    """A table where it fits the width of the screen, else one block a row with a column on each line."""
    from rich.table import Table

    from pipeline.console import make_console

    console = make_console()
    cells = [[_cell(value) for value in row] for row in rows]
    widths = [max(len(name), *(len(row[i]) for row in cells)) if cells else len(name) for i, name in enumerate(names)]
    if sum(widths) + 2 * len(widths) > console.width:
        label = max(map(len, names))
        for row in cells:
            print("\n".join(f"{name:<{label}}  {cell}" for name, cell in zip(names, row, strict=True)), end="\n\n")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    numeric = [all(isinstance(row[i], int | float | None) for row in rows) for i in range(len(names))]
    for name, is_numeric in zip(names, numeric, strict=True):
        table.add_column(name, justify="right" if is_numeric else "left", no_wrap=True)
    for row in cells:
        table.add_row(*row)
    console.print(table, markup=False)


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return rounded(value, is_grouped=False)
    text = str(value)
    # DESCRIBE writes every value of an ENUM out, of which an area code has hundreds
    return f"ENUM of {text.count(', ') + 1} values" if text.startswith("ENUM('") else text
