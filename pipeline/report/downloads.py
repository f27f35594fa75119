"""Downloadable figures: CSV files that any spreadsheet opens, one table a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pipeline.published import wording
from pipeline.published.scores import CHANGE, LEVEL
from pipeline.report.facts import Facts
from pipeline.report.shared_data import shown_areas
from pipeline.report.shown_measures import measures
from pipeline.spreadsheet import disarmed

_BYTE_ORDER_MARK = "\ufeff"  # tells spreadsheets that the file is UTF-8


@dataclass(frozen=True)
class Download:
    """One file of the site's `downloads` folder, with its text."""

    path: str
    title: str
    about: str
    text: str

    @property
    def size(self) -> int:
        return len(self.text.encode())


def downloads(facts: Facts) -> Iterator[Download]:
    """Scores of every area, then the figures of every indicator that has any."""
    yield Download(
        "downloads/scores.csv",
        "Scores, verdicts and rank intervals",
        "A row for every area and node of the framework in the latest year, where places stand and where they have been heading.",
        _csv(_SCORE_COLUMNS, _score_rows(facts)),
    )  # fmt: skip
    for measure in measures(facts):
        if not measure.is_score:
            yield Download(
                f"downloads/{measure.id}.csv",
                measure.title,
                f"Every area and year, {facts.indicators[measure.id].unit}. {facts.indicators[measure.id].publisher}.",
                _csv(_FIGURE_COLUMNS, _figure_rows(facts, measure.id)),
            )


_SCORE_COLUMNS = (
    "area_code", "area_name", "level", "flavour", "year", "node_id", "node_title", "score", "score_lower", "score_upper",
    "verdict", "rank_lower", "rank_upper", "rank_count", "is_band", "is_carried_forward", "weight_with_error",
    "missing_pillars",
)  # fmt: skip
_FIGURE_COLUMNS = ("area_code", "area_name", "level", "year", "value", "lower", "upper", "status")


def _score_rows(facts: Facts) -> Iterator[list[Any]]:
    for flavour in (LEVEL, CHANGE):
        for node in facts.nodes:
            held = facts.scores.get(flavour, {}).get(node.id, {})
            for area in shown_areas(facts):
                if s := held.get(area.code):
                    yield [
                        area.code, area.name_in_file, area.level, flavour, facts.years[flavour], node.id, s.title,
                        s.score, s.lower, s.upper, wording.verdict(s, flavour), s.rank_lower, s.rank_upper,
                        s.rank_count, s.is_band, s.is_carried_forward, s.weight_with_error, s.missing_pillars,
                    ]  # fmt: skip


def _figure_rows(facts: Facts, indicator: str) -> Iterator[list[Any]]:
    for area in shown_areas(facts):
        for f in facts.figures[indicator].get(area.code, ()):
            yield [area.code, area.name_in_file, area.level, f.year, f.value, f.lower, f.upper, f.status]


def _csv(columns: tuple[str, ...], rows: Iterator[list[Any]]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([disarmed(cell) for cell in row] for row in rows)
    return _BYTE_ORDER_MARK + stream.getvalue()
