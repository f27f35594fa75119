"""Whether a table has lost a whole period, or an area that had figures; works on the first day too."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import pandas as pd

from pipeline.http.payload import PayloadRejected

# A payload or period in which a larger share of rows than this fails is not the promised table.
LARGEST_SHARE_SET_ASIDE = 0.1
# Fewer lost areas than this share of a table's are rows gone wrong, not a period: a mistyped date makes a period of one row.
SMALLEST_SHARE_OF_AREAS = 0.01


def refuse_many_failures(reasons: pd.Series, rows_read: int) -> None:
    """Raise PayloadRejected if too many of the rows read were set aside, each for one of ``reasons``."""
    if len(reasons) > LARGEST_SHARE_SET_ASIDE * rows_read:
        most = reasons.mode().iloc[0]
        raise PayloadRejected(f"{len(reasons):,} of its {rows_read:,} rows fail their checks, most often: {most}")


def require_complete_periods(kept: pd.Series, lost: pd.DataFrame, area_count: int) -> None:
    """Refuse a table in which too many areas of one period have no usable row, so that the period would quietly thin or go.

    ``kept`` is how many areas have a usable row, by period; ``lost`` has ``area_code, period, reason`` of rows set aside
    whose area and period have none; ``area_count`` is how many areas the table speaks of. Raises PayloadRejected naming the
    period, the first area, what came and what to do.
    """
    lost = lost[(lost["period"] != "") & (lost["area_code"] != "")].drop_duplicates(["area_code", "period"])
    counts = lost["period"].value_counts()
    there = kept.reindex(counts.index, fill_value=0)
    is_gone = (counts > LARGEST_SHARE_SET_ASIDE * (counts + there)) & (counts > SMALLEST_SHARE_OF_AREAS * area_count)
    if not is_gone.any():
        return
    period = max(is_gone.index[is_gone])
    rows = lost[lost["period"] == period]
    raise PayloadRejected(
        f"{len(rows):,} of the {len(rows) + int(there[period]):,} areas of the period {period} have no usable row, first "
        f"{rows['area_code'].iloc[0]}: {rows['reason'].mode().iloc[0]}. Look at what came; where the publisher words a "
        "period or a mark anew, its parser has to learn it (pipeline/publishers, marks in pipeline/tidy/marks.py)"
    )


def areas_without_rows(absent: Sequence[str], had_figures: Collection[str], source_id: str, indicator_id: str) -> str:
    """A warning that names areas a publisher lists without a single row; '' for none.

    Raises PayloadRejected where figures of one were held before.
    """
    if not absent:
        return ""
    gone = [code for code in absent if code in had_figures]
    if gone:
        raise PayloadRejected(
            f"{source_id} lists {', '.join(gone[:5])} and sent no row for {'it' if len(gone) == 1 else 'them'}, though "
            "figures were held before; if the publisher meant this: "
            f'python -m pipeline accept {source_id}/{indicator_id} "REASON"'
        )
    return f"listed by {source_id} without a single row, and without figures before: {', '.join(absent)}"
