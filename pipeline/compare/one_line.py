"""A comparison in one line: the most important facts about a release."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow.compute as pc

from pipeline.compare.comparison import Comparison
from pipeline.numerals import points, rounded

_MOST_NAMED = 3


def explanation(comparison: Comparison) -> str:
    """What differs, in one line without the versions: "1 figure revised (…); 12 of 2,520 headline scores moved …"."""
    clauses = [
        *_shape(comparison),
        *_who_and_what(comparison),
        *_figures(comparison),
        *_scores(comparison),
        *_run(comparison.run_before, comparison.run_after),
        *(change.words for change in comparison.changes if change.subject == "note"),
    ]
    if comparison.kind == "patch":
        clauses.insert(0, "the same tables with the same rows, rebuilt")
    elif not clauses:
        clauses = _tables(comparison)
    return "; ".join(clauses)


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """A number with its noun: "1 figure", "2 figures"."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def _shape(comparison: Comparison) -> list[str]:
    words = []
    for subject in ("table", "column"):
        for change, verb in (("gone", "gone"), ("retyped", "of another type"), ("appeared", "new")):
            names = [c.subject_id for c in comparison.changes if (c.subject, c.change) == (subject, change)]
            if names:
                words.append(f"{counted(len(names), subject)} {verb} ({_some(names)})")
    keys = [c.subject_id for c in comparison.changes if c.subject == "key"]
    return words + ([f"{counted(len(keys), 'key')} changed ({_some(keys)})"] if keys else [])


def _who_and_what(comparison: Comparison) -> list[str]:
    words = []
    for subject in ("area", "indicator"):
        for change, verb in (("appeared", "new"), ("gone", "gone")):
            names = [c.subject_id for c in comparison.changes if (c.subject, c.change) == (subject, change)]
            if names:
                words.append(f"{counted(len(names), subject)} {verb} ({_some(names)})")
    new, lost = comparison.count("period", "appeared"), comparison.count("period", "gone")
    if new:
        ids = [
            c.subject_id.partition(" ")[0]
            for c in comparison.changes
            if (c.subject, c.change) == ("period", "appeared")
        ]
        words.append(f"{counted(new, 'new period')} ({_some(list(dict.fromkeys(ids)))})")
    return words + ([f"{counted(lost, 'period')} gone"] if lost else [])


def _figures(comparison: Comparison) -> list[str]:
    words = [f"{counted(comparison.new_figures, 'new figure')}"] if comparison.new_figures else []
    for kinds, verb in (
        (("revised",), "revised"),
        (("filled",), "added where one was missing"),
        (("withdrawn",), "withdrawn"),
        (("status_changed",), "of another status"),
        (("interval_revised",), "with another interval"),
    ):
        number = comparison.revised(*kinds)
        if number:
            words.append(f"{counted(number, 'figure')} {verb}{_example(comparison, kinds[0]) if number == 1 else ''}")
    made = sum(
        comparison.revised(kind, is_derived=True)
        for kind in ("revised", "filled", "withdrawn", "status_changed", "interval_revised")
    )
    return words + ([f"{counted(made, 'figure')} derived from others changed with them"] if made else [])


def _example(comparison: Comparison, kind: str) -> str:
    """The one figure of a kind, in brackets: area, indicator, year, old and new value."""
    table = comparison.revisions
    wanted = pc.and_(pc.equal(table["kind"], kind), pc.invert(table["is_derived"]))
    [row] = table.filter(wanted).to_pylist()
    was, now = (_number(row[name]) for name in ("old_value", "new_value"))
    if kind == "status_changed":
        was, now = row["old_status"], row["new_status"]
    values = "" if kind == "interval_revised" else f": {was} to {now}"
    return f" ({row['area_name']}, {row['indicator_title']}, {row['year']}{values})"


def _scores(comparison: Comparison) -> list[str]:
    table = comparison.movements
    if not table.num_rows:
        return []
    largest = pc.max(pc.abs(table["score_change"])).as_py() or 0.0
    ranks = int(pc.sum(pc.not_equal(pc.fill_null(table["rank_change"], 0), 0)).as_py() or 0)
    words = (
        f"{table.num_rows:,} of {counted(comparison.scores_compared, 'headline score')} moved, by at most "
        f"{points(largest)}, and {counted(ranks, 'rank')}"
    )
    causes = [
        name.replace("_", " ")
        for name in ("method", "revision", "new_data")
        if comparison.is_split and _is_at_work(table[f"score_by_{name}"], table[f"rank_by_{name}"])
    ]
    return [f"{words} ({_joined(causes)})" if causes else words]


def _is_at_work(scores: Any, ranks: Any) -> bool:
    return any((pc.max(pc.abs(part)).as_py() or 0) > 0 for part in (scores, ranks))


def _run(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """A change in the number of draws, which changes intervals and studies but no figure or score."""
    words = []
    was, now = before.get("draw_count"), after.get("draw_count")
    if was is not None and now is not None and was != now:
        words.append(f"survey errors were drawn {now:,} times, {was:,} before, so intervals and probabilities differ")
    if before.get("is_thorough") is not None and before["is_thorough"] != after.get("is_thorough"):
        words.append("with the studies of a thorough run" if after.get("is_thorough") else "without its studies")
    return words


def _tables(comparison: Comparison) -> list[str]:
    names = [change.subject_id for change in comparison.changes if change.subject == "rows"]
    return [f"different rows in {_some(names)}"]


def _some(names: list[str]) -> str:
    return ", ".join(names[:_MOST_NAMED]) + (", ..." if len(names) > _MOST_NAMED else "")


def _joined(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]


def _number(value: float | None) -> str:
    return "none" if value is None else rounded(value)
