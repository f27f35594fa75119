"""What the verbs share."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import VerbError
from pipeline.spreadsheet import disarmed

if TYPE_CHECKING:
    import pandas as pd

# argparse's own name for what add_subparsers returns is private.
Verbs = Any


def add_verb(
    verbs: Verbs, name: str, summary: str, about: str, run: Callable[[argparse.Namespace], int]
) -> argparse.ArgumentParser:
    """Add one verb with its one-line ``summary`` and its longer ``about``."""
    parser: argparse.ArgumentParser = verbs.add_parser(
        name, help=summary, description=about, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.set_defaults(run=run)
    return parser


def read_csv(path: Path, *, numbers: Sequence[str]) -> pd.DataFrame:
    """A CSV with its text as text, without blanks around it, and ``numbers`` as float64, full precision; empty is missing.

    Rows without any entry, as spreadsheets leave them below a table, are no rows. Raises VerbError naming the file, and
    the line and column of a number that is none; also for a column given twice and a row with more fields than columns.
    """
    import pandas as pd

    try:
        rows = pd.read_csv(path, header=None, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise VerbError(f"{path} is not in UTF-8 ({error}); save it as CSV UTF-8") from error
    except (OSError, ValueError) as error:
        raise VerbError(f"{path} cannot be read as a CSV: {error}") from error
    rows = rows.fillna("").apply(lambda column: column.str.strip())
    rows = rows[(rows != "").any(axis=1)]
    if rows.empty:
        raise VerbError(f"{path} cannot be read as a CSV: it is empty")
    names = rows.iloc[0]
    twice = names[names.duplicated() & (names != "")]
    if len(twice):
        raise VerbError(f"{path}: column {twice.iloc[0]} is there twice")
    table = rows.iloc[1:].set_axis(list(names), axis=1)
    for name in (column for column in numbers if column in table.columns):
        text = table[name]
        values = pd.to_numeric(text, errors="coerce").astype("float64")
        wrong = values.isna() & ~text.str.lower().isin(["", "nan", "na", "inf", "-inf"])
        if wrong.any():
            line = int(wrong.idxmax())
            raise VerbError(f"{path}, line {line + 1}, column {name}: {text[line]!r} is not a number")
        table[name] = values
    return table.reset_index(drop=True)


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write a table as CSV: full double precision, missing cells empty, no text that a spreadsheet would run.

    Raises VerbError when it cannot be written.
    """
    text = [str(name) for name in table.select_dtypes(exclude="number")]
    try:
        table.assign(**{name: table[name].map(disarmed, na_action="ignore") for name in text}).to_csv(
            path, index=False, lineterminator="\n"
        )
    except OSError as error:
        raise VerbError(f"{path} cannot be written: {error.strerror or error}") from error
