"""Movements of scores and ranks between two files, split into method, revision and new data.

It compares the scores that readers see first: each node above the indicators, in the latest year of its framework,
flavour and window. The split is a chain of rescorings by the current code, each of which adds one cause:

    old file's score
      -> the old figures scored by the current code                          (method)
      -> with the figures that publishers revised or withdrew as well        (revision)
      -> new file's score, with new figures and perhaps a new year           (new data)

Each link is a difference, so the three parts sum exactly to the whole movement. A link without its cause is zero and
needs no scoring. With only one cause, as on most nights, nothing is rescored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import duckdb
import pandas as pd
import pyarrow as pa

from pipeline.compare.compared_files import NEW, OLD, Contents, first_row
from pipeline.compare.figure_changes import CAUSES, figures_after

# Scores are published with six decimals, so rescored ones are rounded likewise. A difference in the last decimal alone
# does not count.
DECIMALS = 6
STILL = 2e-6
NEEDED = (
    "area_code",
    "area_name",
    "level",
    "framework_id",
    "flavour",
    "year",
    "window_years",
    "node_id",
    "node_kind",
    "depth",
    "score",
    "rank",
)

View = tuple[str, str, int]
"""A framework, a flavour and a window (0 for the level)."""

Rescore = Callable[[pd.DataFrame, Mapping[View, int]], pd.DataFrame]
"""Scores figures (``figures_after``'s columns) with the current code, without draws, for one year of each view.

Returns ``framework_id, flavour, window_years, node_id, area_code, score, rank`` of the nodes above the indicators.
"""

_LATEST = """
select distinct framework_id::varchar, flavour::varchar, window_years, year
from {alias}.mart_score
where is_latest_year and depth = 0
"""
_HEADLINE = """
create or replace temp table headline_{alias} as
select
    score.framework_id::varchar as framework_id,
    score.flavour::varchar as flavour,
    score.window_years,
    score.node_id::varchar as node_id,
    score.area_code::varchar as area_code,
    score.area_name,
    score.level,
    score.year,
    score.score,
    score.rank
from {alias}.mart_score as score
where score.is_latest_year and score.node_kind <> 'indicator'
"""
_KEY = "framework_id, flavour, window_years, node_id, area_code"
_MOVEMENT = f"""
with title as (
    select
        framework_id::varchar as framework_id,
        any_value(framework_title) as framework_title,
        node_id::varchar as node_id,
        any_value(title) as node_title
    from {NEW}.dim_node
    group by framework_id, node_id
),

link as (
    select
        {_KEY},
        new_score.area_name,
        new_score.level,
        old_score.year as old_year,
        new_score.year as new_year,
        old_score.score as old_score,
        coalesce(by_method.score, old_score.score) as score_after_method,
        coalesce(by_revision.score, by_method.score, old_score.score) as score_after_revision,
        new_score.score as new_score,
        old_score.rank as old_rank,
        coalesce(by_method.rank, old_score.rank) as rank_after_method,
        coalesce(by_revision.rank, by_method.rank, old_score.rank) as rank_after_revision,
        new_score.rank as new_rank,
        old_score.rank is not null and new_score.rank is not null as has_ranks
    from headline_{OLD} as old_score
    inner join headline_{NEW} as new_score using ({_KEY})
    left join after_method as by_method using ({_KEY})
    left join after_revision as by_revision using ({_KEY})
)

select
    area_code,
    area_name,
    level,
    framework_id,
    coalesce(framework_title, framework_id) as framework_title,
    flavour,
    window_years,
    node_id,
    coalesce(node_title, node_id) as node_title,
    old_year,
    new_year,
    old_score,
    new_score,
    new_score - old_score as score_change,
    case when $is_split then score_after_method - old_score end as score_by_method,
    case when $is_split then score_after_revision - score_after_method end as score_by_revision,
    case when $is_split then new_score - score_after_revision end as score_by_new_data,
    old_rank,
    new_rank,
    new_rank - old_rank as rank_change,
    case when $is_split and has_ranks then rank_after_method - old_rank end as rank_by_method,
    case when $is_split and has_ranks then rank_after_revision - rank_after_method end as rank_by_revision,
    case when $is_split and has_ranks then new_rank - rank_after_revision end as rank_by_new_data
from link
left join title using (framework_id, node_id)
where abs(new_score - old_score) > {STILL} or new_rank <> old_rank -- a rank that is no longer given has not moved
order by framework_id, flavour, window_years, node_id, area_code
"""


class CannotRescore(Exception):
    """The given figures cannot be scored with the current code; the message says why."""


@dataclass(frozen=True)
class Movements:
    """``table``: columns of mart_movement except the release. ``compared``: headline scores in both files.

    ``is_split`` is False if there are several causes and no rescoring code was given.
    """

    table: pa.Table
    compared: int
    is_split: bool


def can_compare_scores(old: Contents, new: Contents) -> bool:
    """Whether both files have scores with the columns that a comparison needs."""
    return all(f.has("mart_score", *NEEDED) for f in (old, new)) and new.has(
        "dim_node", "framework_id", "node_id", "title"
    )


def score_movements(
    connection: duckdb.DuckDBPyConnection, causes: frozenset[str], rescore: Rescore | None
) -> Movements:
    """Headline scores that moved, and why. Needs the temp table ``figure_change``.

    ``causes`` are the possible ones: ``method`` if the scoring code changed or may have, and those of
    ``figure_changes``. Without any, a movement is attributed to method: with equal figures, only the arithmetic can
    differ.
    """
    for alias in (OLD, NEW):
        connection.execute(_HEADLINE.format(alias=alias))
    present = [cause for cause in CAUSES if cause in causes] or ["method"]
    is_split = len(present) == 1 or rescore is not None
    try:
        for name, cause in (("after_method", "method"), ("after_revision", "revision")):
            _link(connection, name, cause, present, rescore)
    except CannotRescore:
        return score_movements(connection, causes, None)
    table = connection.sql(_MOVEMENT, params={"is_split": is_split}).to_arrow_table()
    row = first_row(connection, f"select count(*) from headline_{OLD} inner join headline_{NEW} using ({_KEY})")
    return Movements(table, int(row[0]) if row else 0, is_split)


def _link(
    connection: duckdb.DuckDBPyConnection, name: str, cause: str, present: list[str], rescore: Rescore | None
) -> None:
    """Fill the temp table ``name`` with the scores after ``cause`` and the causes before it in the chain.

    This equals the previous link if the cause is absent, the new file's scores if no cause follows, and otherwise the
    result of ``rescore``.
    """
    before = f"headline_{OLD}" if cause == "method" else "after_method"
    later = CAUSES[CAUSES.index(cause) + 1 :]
    columns = f"{_KEY}, score, rank"
    if cause not in present:
        source = f"select {columns} from {before}"
    elif not set(later) & set(present):
        source = f"select {columns} from headline_{NEW}"
    elif rescore is None:
        source = f"select {columns} from {before} where false"
    else:
        let_in = frozenset(CAUSES[: CAUSES.index(cause) + 1])
        years = {
            (framework, flavour, window): year
            for framework, flavour, window, year in connection.execute(_LATEST.format(alias=OLD)).fetchall()
        }
        scores = rescore(figures_after(connection, let_in).to_pandas(), years)
        connection.register("rescored", scores)
        source = f"select {_KEY}, round(score, {DECIMALS}) as score, rank from rescored"
    connection.execute(f"create or replace temp table {name} as {source}")
