"""The tables the marts' SQL reads, made from what a run has got, put together and scored."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa

from pipeline import __version__
from pipeline.catalogue import Indicator
from pipeline.catalogue.frameworks import DEFAULT_FRAMEWORKS, Framework, Node, load_framework
from pipeline.estimation.modelled import ModelTables
from pipeline.geography import Register, bridge_area_group, dim_area, dim_area_history, read_groups
from pipeline.publishers.baseline.shipped_figures import Baseline
from pipeline.run.assemble import Assembled
from pipeline.run.inputs import Inputs
from pipeline.run.options import ScoreOptions
from pipeline.run.results import PartResult
from pipeline.run.sources_table import source_rows
from pipeline.scoring import ScoreTables
from pipeline.scoring.output_columns import concat


@dataclass(frozen=True)
class Studies:
    """Studies as tables, see ``pipeline.scoring``; sensitivity is studied by thorough runs only."""

    rank_set: pd.DataFrame
    pass_through: pd.DataFrame
    error_process: pd.DataFrame
    direction: pd.DataFrame
    sensitivity: pd.DataFrame | None = None
    sensitivity_variant: pd.DataFrame | None = None


@dataclass(frozen=True)
class Making:
    """How a file is made: by the run that started then, with these options, of inputs with this fingerprint."""

    started_at: datetime
    scoring: ScoreOptions
    fingerprint: str


SCORE_TABLES = ("score", "not_scored", "change", "contribution", "label", "gate", "audit", "composite_rank")
PUBLISHERS_WORDS = ("publisher_unit", "publisher_caveats", "publisher_updated")


def figure_inputs(
    inputs: Inputs, baseline: Baseline, results: Sequence[PartResult], assembled: Assembled, making: Making
) -> dict[str, pa.Table]:
    """The tables the SQL reads that need no scores, by name (``input_<name>`` in SQL)."""
    catalogue, register = inputs.catalogue, inputs.register
    return _as_arrow(
        {
            "area": area_rows(register),
            "area_history": dim_area_history(register),
            "area_group": bridge_area_group(register),
            "indicator": _indicator_rows(catalogue.indicators.values(), results),
            "node": _node_rows({name: item.title for name, item in catalogue.indicators.items()}),
            "observation": assembled.observations,
            "source": source_rows(
                catalogue, inputs.calendar, baseline, results, assembled.completions, making.started_at
            ),
            "quarantine": assembled.quarantine.astype(
                {"stage": "str", "indicator_id": "str", "source_id": "str", "reason": "str"}
            ),
            "run": _run_row(making, assembled),
        }
    )


def score_inputs(scores: Sequence[ScoreTables]) -> dict[str, pa.Table]:
    """The tables the SQL reads that hold scores, those of several frameworks under each other."""
    return _as_arrow({name: concat([getattr(item, name) for item in scores]) for name in SCORE_TABLES})


def estimate_inputs(estimates: ModelTables) -> dict[str, pa.Table]:
    """The tables the SQL reads that hold modelled figures."""
    return _as_arrow(
        {
            "modelled": estimates.level,
            "modelled_change": estimates.change,
            "model": estimates.model,
            "model_correlation": estimates.correlation,
        }
    )


def study_inputs(studies: Studies) -> dict[str, pa.Table]:
    """The tables the SQL reads that hold studies; sensitivity only where it was studied."""
    studied = {field.name: getattr(studies, field.name) for field in fields(studies)}
    return _as_arrow({name: table for name, table in studied.items() if table is not None})


def _as_arrow(frames: Mapping[str, pd.DataFrame]) -> dict[str, pa.Table]:
    return {name: pa.Table.from_pandas(frame, preserve_index=False) for name, frame in frames.items()}


def area_rows(register: Register) -> pd.DataFrame:
    """Today's areas, and after them the named groups, each an area of the level ``group`` under its own id."""
    areas = dim_area(register)
    groups = pd.DataFrame(
        {"area_code": group.id, "area_name": group.title, "level": "group", "is_scored": False}
        for group in read_groups()
    )
    return pd.concat([areas, groups], ignore_index=True)[areas.columns]


def _indicator_rows(indicators: Iterable[Indicator], results: Sequence[PartResult]) -> pd.DataFrame:
    described = _publishers_words(results)
    frame = pd.DataFrame(
        [
            {
                "position": position,
                "indicator_id": indicator.id,
                "title": indicator.title,
                "short_title": indicator.label,
                "description": indicator.description,
                "theme": indicator.theme,
                "unit": indicator.unit,
                "decimals": indicator.decimals,
                "polarity": indicator.polarity,
                "transform": indicator.transform,
                "kind": indicator.kind,
                "publisher": indicator.publisher,
                "frequency": indicator.frequency,
                "nations": ", ".join(indicator.nations),
                "levels": ", ".join(indicator.levels),
                "intervals": indicator.intervals,
                "is_error_published": indicator.is_error_published,
                "error_note": indicator.error_note,
                "minimum_plausible": indicator.bounds.min,
                "maximum_plausible": indicator.bounds.max,
                "is_computed": indicator.ratio_of is not None,
                "caveats": " ".join([*indicator.caveats, *(found.reason for found in indicator.breaks)]) or None,
                "series_breaks": ", ".join(str(found.after) for found in indicator.breaks) or None,
                "licence": indicator.licence,
                "citation_url": str(indicator.citation_url),
                "profile_column": indicator.column_name if indicator.in_profile else None,
                **described.get(indicator.id, dict.fromkeys(PUBLISHERS_WORDS)),
            }
            for position, indicator in enumerate(indicators)
        ]
    )
    return frame.astype(dict.fromkeys((*PUBLISHERS_WORDS, "series_breaks"), "str"))


def _publishers_words(results: Sequence[PartResult]) -> dict[str, dict[str, str | None]]:
    """What the publisher's service says of each indicator, from its first part that came with a description."""
    found: dict[str, dict[str, str | None]] = {}
    for result in results:
        if result.description is None:
            continue
        words = (result.description.unit, " ".join(result.description.caveats) or None, result.publisher_updated)
        found.setdefault(result.indicator_id, dict(zip(PUBLISHERS_WORDS, words, strict=True)))
    return found


def _run_row(making: Making, assembled: Assembled) -> pd.DataFrame:
    built_at = datetime.now(UTC)
    return pd.DataFrame(
        [
            {
                "run_id": f"{making.started_at:%Y%m%dT%H%M%SZ}-{making.fingerprint[:8]}",
                "started_at": making.started_at.replace(tzinfo=None),
                "built_at": built_at.replace(tzinfo=None),
                "code_version": __version__,
                "input_fingerprint": making.fingerprint,
                "draw_count": making.scoring.draws,
                "is_thorough": making.scoring.is_thorough,
                "python_version": platform.python_version(),
                "duckdb_version": duckdb.__version__,
                "rows_read": assembled.rows_read,
                "rows_out_of_scope": assembled.rows_out_of_scope,
                "rows_collapsed": assembled.rows_collapsed,
            }
        ]
    )


def _node_rows(titles: Mapping[str, str]) -> pd.DataFrame:
    """One row for each node of each framework's tree, indicators included, in the order of its file."""
    rows = [row for name in DEFAULT_FRAMEWORKS for row in _tree_rows(load_framework(name), titles)]
    texts = ("parent_node_id", "aggregate", "label_role", "compared_within", "note")
    return pd.DataFrame(rows).assign(position=range(len(rows))).astype(dict.fromkeys(texts, "str"))


def _tree_rows(framework: Framework, titles: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    labels = framework.labels
    role = {labels.growth: "growth", labels.sharing: "sharing"} if labels is not None else {}

    def walk(node: Node, parent: str | None, depth: int) -> Iterator[dict[str, Any]]:
        shared = {"framework_id": framework.id, "framework_title": framework.title or framework.id}
        yield {
            **shared,
            "node_id": node.id,
            "parent_node_id": parent,
            "depth": depth,
            "title": node.title or node.id,
            "aggregate": node.aggregate,
            "weight": node.weight,
            "is_optional": node.optional,
            "is_indicator": False,
            "flavours": ", ".join(node.flavours),
            "label_role": role.get(node.id),
            "compared_within": None,
            "note": " ".join(node.note.split()) or None,
        }
        for child in node.children:
            yield from walk(child, node.id, depth + 1)
        for reference in node.indicators:
            for place, name in enumerate(reference.candidates):
                stand_in = f"Stands in where {reference.candidates[0]} has no figures." if place else None
                yield {
                    **shared,
                    "node_id": name,
                    "parent_node_id": node.id,
                    "depth": depth + 1,
                    "title": titles.get(name, name),
                    "aggregate": None,
                    "weight": reference.weight,
                    "is_optional": False,
                    "is_indicator": True,
                    "flavours": ", ".join(node.flavours),
                    "label_role": None,
                    "compared_within": reference.standardise_within,
                    "note": reference.note or stand_in,
                }

    return walk(framework.tree, None, 0)
