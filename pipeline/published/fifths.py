"""Districts that are almost certainly in the highest or lowest fifth of a ranking, from ``mart_fifth``."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from pipeline.published.scores import CHANGE_WINDOW_YEARS, DEFAULT_FRAMEWORK, LEVEL

_FIFTHS = """
select
    fifth.node_id,
    fifth.node_title,
    fifth.flavour,
    fifth.fifth,
    fifth.rank_count,
    fifth.fifth_count,
    fifth.known_count,
    fifth.sure_count,
    coalesce(string_split(fifth.sure_area_names, '; '), [])
from mart_fifth as fifth
inner join dim_node as node using (framework_id, node_id)
where
    fifth.framework_id = $framework
    and fifth.basis = 'draws'
    and fifth.window_years = if(fifth.flavour = $level, 0, $window)
    and not node.is_indicator
    and node.depth > 0
order by fifth.flavour desc, node.position, fifth.fifth desc
"""


@dataclass(frozen=True)
class Fifth:
    """One end (``top`` or ``bottom``) of the ranking of districts at a domain or pillar in the latest scored year.

    ``fifth_count`` districts are in it by score alone. ``known_count`` districts have a known probability of being in
    it. ``sure_count`` are in it with a probability of at least 95%; ``sure_area_names`` names them.
    """

    node_id: str
    title: str
    flavour: str
    end: str
    rank_count: int
    fifth_count: int
    known_count: int
    sure_count: int
    sure_area_names: list[str]


def fifths(connection: duckdb.DuckDBPyConnection) -> list[Fifth]:
    """Both ends of every domain and pillar of the default framework, in tree order, the level first."""
    asked = {"framework": DEFAULT_FRAMEWORK, "level": LEVEL, "window": CHANGE_WINDOW_YEARS}
    rows = connection.execute(_FIFTHS, asked).fetchall()
    return [Fifth(*row) for row in rows]
