"""A difference between two releases as lines for a terminal, and as plain data for a program."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipeline.compare.one_line import counted
from pipeline.compare.stored import Difference
from pipeline.numerals import rounded, signed

_MOST_CHANGES = 12
_KINDS = {
    "revised": "",
    "interval_revised": "another interval",
    "status_changed": "another status",
    "filled": "was missing",
    "withdrawn": "withdrawn",
}


def as_text(difference: Difference, *, most: int) -> str:
    """The one-line explanation, then the changes: at most ``most`` figures and ``most`` scores."""
    lines = [difference.line]
    shown = [change for change in difference.changes if change.subject != "rows"]
    if shown:
        lines += ["", "Added, removed or changed"]
        lines += [f"  {change.words}" for change in shown[:_MOST_CHANGES]]
        lines += _more(len(shown) - _MOST_CHANGES, "change")
    if difference.revisions:
        lines += ["", "Figures, largest difference first"]
        lines += [f"  {_revision(row)}" for row in _largest(difference.revisions, "difference_percent")[:most]]
        lines += _more(len(difference.revisions) - most, "figure")
    if difference.movements:
        lines += ["", "Headline scores, largest movement first (= method + revision + new data)"]
        lines += [f"  {_movement(row)}" for row in _largest(difference.movements, "score_change")[:most]]
        lines += _more(len(difference.movements) - most, "score")
    return "\n".join(lines)


def as_data(difference: Difference) -> dict[str, Any]:
    """Everything, as data for JSON."""
    return {
        "before": difference.before,
        "after": difference.after,
        "kind": difference.kind,
        "line": difference.line,
        "changes": [
            {
                "subject": change.subject,
                "change": change.change,
                "subject_id": change.subject_id,
                "description": change.words,
                "row_count": change.row_count,
            }
            for change in difference.changes
        ],
        "revisions": list(difference.revisions),
        "movements": list(difference.movements),
    }


def of_area(difference: Difference, codes: Sequence[str]) -> Difference:
    """Only the figures and scores of some areas; the headline remains that of the whole comparison."""
    return Difference(
        before=difference.before,
        after=difference.after,
        kind=difference.kind,
        explanation=difference.explanation,
        changes=difference.changes,
        revisions=[row for row in difference.revisions if row["area_code"] in codes],
        movements=[row for row in difference.movements if row["area_code"] in codes],
    )


def _largest(rows: Sequence[dict[str, Any]], column: str) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: -abs(row[column] or 0.0))


def _more(number: int, noun: str) -> list[str]:
    return [f"  ... and {counted(number, 'more ' + noun)}; --json gives all"] if number > 0 else []


def _revision(row: dict[str, Any]) -> str:
    old, new = ("none" if row[name] is None else rounded(row[name]) for name in ("old_value", "new_value"))
    words = [f"{row['area_name']}, {row['indicator_title']}, {row['year']}: {old} to {new} {row['unit']}"]
    if row["difference_percent"] is not None and row["difference"]:
        words.append(f"{signed(row['difference'])}, {signed(row['difference_percent'], 3)}%")
    if row["old_status"] != row["new_status"]:
        words.append(f"{row['old_status']} to {row['new_status'] or 'gone'}")
    words += [_KINDS[row["kind"]]] if _KINDS[row["kind"]] else []
    words += ["made from others"] if row["is_derived"] else []
    words += ["read differently by this project"] if row["cause"] == "method" else []
    return "; ".join(words)


def _movement(row: dict[str, Any]) -> str:
    year = str(row["new_year"]) if row["old_year"] == row["new_year"] else f"{row['old_year']} to {row['new_year']}"
    over = f", change over {row['window_years']} years" if row["window_years"] else ""
    words = f"{row['area_name']}, {row['node_title']} ({row['framework_id']}{over}, {year}): "
    words += f"{row['old_score']:.1f} to {row['new_score']:.1f}, {row['score_change']:+.2f}"
    if row["score_by_method"] is not None:
        parts = (row[f"score_by_{cause}"] for cause in ("method", "revision", "new_data"))
        words += f" = {' '.join(f'{part:+.2f}' for part in parts)}"
    if row["old_rank"] is not None and row["new_rank"] is not None and row["rank_change"]:
        words += f"; rank {row['old_rank']} to {row['new_rank']}"
    return words
