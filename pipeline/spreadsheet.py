"""Text that a spreadsheet would run as a formula, and how every CSV of the project defuses it.

The leading characters are those that OWASP lists under "CSV injection". A leading apostrophe makes a spreadsheet treat
the cell as text. A number is not a formula, whatever its sign, and is left unchanged.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"[+-]?[0-9]+([.][0-9]+)?([eE][+-]?[0-9]+)?")


def disarmed(cell: Any) -> Any:
    """The cell, with an apostrophe before text that a spreadsheet would run."""
    if isinstance(cell, str) and cell.startswith(FORMULA_STARTS) and not _NUMBER.fullmatch(cell):
        return f"'{cell}"
    return cell


def disarmed_in_sql(columns: Iterable[str], select: str) -> str:
    """A SELECT that disarms the text ``columns`` of ``select`` in DuckDB; its rows stay in their order."""
    starts = ", ".join(f"chr({ord(start)})" for start in FORMULA_STARTS)
    replaced = ", ".join(
        f'''case when left("{name}", 1) in ({starts}) and not regexp_full_match("{name}", '{_NUMBER.pattern}') '''
        f'''then chr(39) || "{name}" else "{name}" end as "{name}"'''
        for name in columns
    )
    return f"select * replace ({replaced}) from ({select})" if replaced else select
