"""Compare the scores and ranks of a new file with the live one's: how many districts moved, how far, and why.

There are three cases. If no figure of a node's indicators differs, its scores may not move at all. If figures arrived
or were revised, scores move, up to a limit. If the method changed, a move is reported but never refused.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

import duckdb

from pipeline.catalogue.frameworks import DEFAULT_FRAMEWORKS, Framework, Node, load_framework
from pipeline.gates.findings import Finding, judged, some, worst_first
from pipeline.gates.policy import Gate, GatePolicy, Gates, MovedGates
from pipeline.numerals import points, share

STILL = 2e-6  # scores are published with six decimals
FEWEST_DISTRICTS = 100  # a node with fewer takes the share of this many
_MOST_NAMED = 3
_LEAST_SHARE = 0.1  # of a move, below which an indicator is not named

NodeId = tuple[str, str]

_SAME_COLUMNS = "area_code::varchar, period, value, lower, upper, standard_error, status::varchar"
# One row is one indicator whose figures differ in the two files, in any area, period, bound or status.
_TOUCHED = f"""
with old as (
    select indicator_id::varchar as indicator_id, sum(hash({_SAME_COLUMNS})) as digest from live.fct_observation group by 1
),
new as (
    select indicator_id::varchar as indicator_id, sum(hash({_SAME_COLUMNS})) as digest from fct_observation group by 1
)
select coalesce(old.indicator_id, new.indicator_id)
from old full join new using (indicator_id)
where old.digest is distinct from new.digest
"""
_COLUMNS = """
    framework_id::varchar as framework_id,
    flavour::varchar as flavour,
    window_years,
    node_id::varchar as node_id,
    node_kind,
    area_code::varchar as area_code,
    year,
    is_latest_year,
    score,
    rank,
    rank_lower,
    rank_upper"""
_COLUMNS_OF_LIVE = "select column_name from duckdb_columns() where database_name = 'live' and table_name = 'mart_score'"
_NEEDED = {
    "area_code", "flavour", "framework_id", "is_latest_year", "level", "node_id", "node_kind", "rank", "rank_lower",
    "rank_upper", "score", "window_years", "year",
}  # fmt: skip
# One row is one district at one node, in a year in both files or in the latest year of each, with both scores and
# ranks.
_PAIRED = f"""
create or replace temp table score_pair as
with old as (
    select {_COLUMNS} from live.mart_score where level = 'district' and node_kind <> 'indicator'
),
new as (
    select {_COLUMNS} from mart_score where level = 'district' and node_kind <> 'indicator'
),
same_year as (
    select
        framework_id, flavour, window_years, node_id, old.node_kind, area_code, year, year as old_year, false as is_headline,
        old.score as old_score, new.score as new_score, old.rank as old_rank, new.rank as new_rank,
        old.rank_lower, old.rank_upper
    from old inner join new using (framework_id, flavour, window_years, node_id, area_code, year)
),
headline as (
    select
        framework_id, flavour, window_years, node_id, old.node_kind, area_code, new.year, old.year as old_year,
        true as is_headline,
        old.score as old_score, new.score as new_score, old.rank as old_rank, new.rank as new_rank,
        old.rank_lower, old.rank_upper
    from (from old where is_latest_year) as old
    inner join (from new where is_latest_year) as new
        using (framework_id, flavour, window_years, node_id, area_code)
    where old.year <> new.year
)
select * from same_year
union all
select * from headline
"""
# One row is one node in one pair of years: how many districts are in both, how many moved, and the farthest move.
_MEASURED = """
select
    framework_id, flavour, window_years, node_id, any_value(node_kind) as node_kind, year, old_year,
    count(*) as districts,
    count(*) filter (where abs(new_score - old_score) > $still) as moved,
    count(*) filter (where abs(new_score - old_score) > $points) as moved_far,
    max(abs(new_score - old_score)) as farthest,
    count(*) filter (where old_rank is not null and new_rank is not null) as ranks,
    count(*) filter (
        where abs(new_rank - old_rank) > $places and (new_rank < old_rank_lower or new_rank > old_rank_upper)
    ) as ranks_out,
    max(abs(new_rank::integer - old_rank::integer)) as most_places
from (select * rename (rank_lower as old_rank_lower, rank_upper as old_rank_upper) from score_pair)
group by framework_id, flavour, window_years, node_id, year, old_year
having moved > 0 or ranks_out > 0
order by framework_id, flavour, window_years, node_id, year, old_year
"""
_FARTHEST = """
select area_name, old_score, new_score, old_rank, new_rank
from score_pair inner join (select area_code::varchar as area_code, area_name from dim_area) using (area_code)
where framework_id = $framework and flavour = $flavour and window_years = $window and node_id = $node
    and year = $year and old_year = $old_year
    and (not $of_ranks or (old_rank is not null and new_rank is not null))
order by if($of_ranks, abs(new_rank::integer - old_rank::integer), abs(new_score - old_score)) desc, area_name
limit 3
"""
# One row is one indicator below a node: how far its own score moved, summed over districts. One that is scored in only
# one of the two files counts as having moved by its distance to the middle of the scale.
_LEAVES = """
with old as (
    select node_id::varchar as node_id, area_code, score from live.mart_score
    where framework_id = $framework and flavour = $flavour and window_years = $window and year = $old_year
        and level = 'district' and node_kind = 'indicator'
),
new as (
    select node_id::varchar as node_id, area_code, score from mart_score
    where framework_id = $framework and flavour = $flavour and window_years = $window and year = $year
        and level = 'district' and node_kind = 'indicator'
)
select node_id, sum(abs(coalesce(new.score, 50) - coalesce(old.score, 50)))
from (select node_id, area_code::varchar as area_code, score from old) as old
full join (select node_id, area_code::varchar as area_code, score from new) as new using (node_id, area_code)
group by 1
"""
_TITLES = "select node_id::varchar, any_value(title) from dim_node where framework_id = $framework group by 1"


@dataclass(frozen=True)
class _Move:
    """How the districts of one node moved between two years: ``old_year`` of the live file, ``year`` of the new one."""

    framework_id: str
    flavour: str
    window_years: int
    node_id: str
    kind: str
    year: int
    old_year: int
    districts: int
    moved: int
    moved_far: int
    farthest: float
    ranks: int
    ranks_out: int
    most_places: int | None

    @property
    def share_far(self) -> float:
        return self.moved_far / max(self.districts, FEWEST_DISTRICTS)

    @property
    def share_out(self) -> float:
        return self.ranks_out / max(self.ranks, FEWEST_DISTRICTS)

    @property
    def place(self) -> str:
        """The node's place in words: `level 2025`, `change over 10 years, 2024 to 2025`."""
        years = str(self.year) if self.year == self.old_year else f"{self.old_year} to {self.year}"
        return f"level {years}" if self.flavour == "level" else f"change over {self.window_years} years, {years}"

    def limit(self, gates: MovedGates) -> Gate:
        return gates.of(self.flavour, self.kind, is_next_year=self.year != self.old_year)

    def parameters(self) -> dict[str, object]:
        return {
            "framework": self.framework_id,
            "flavour": self.flavour,
            "window": self.window_years,
            "year": self.year,
            "old_year": self.old_year,
        }


def scores_moved(connection: duckdb.DuckDBPyConnection, policy: GatePolicy, *, is_same_method: bool) -> list[Finding]:
    """Nodes whose scores or published ranks moved by more than allowed: the worst for each gate, framework and flavour.

    ``is_same_method`` says that the current code, catalogue and frameworks made the live file. If they did not, nothing
    is refused, since scores may move with the method alone.
    """
    limits = policy.defaults
    if not is_same_method and not _has_columns(connection):
        return []  # the method is so old that its scores are in other columns
    moves = _moves(connection, limits.scores_moved.points, limits.ranks_moved.places)
    if not moves:
        return []
    touched = {str(name) for (name,) in connection.execute(_TOUCHED).fetchall()}
    found, with_news = [], moves
    if is_same_method:
        without = [move for move in moves if move.moved and _is_without_news(move, touched)]
        found += _without_news(connection, limits.moved_without_news, without)
        with_news = [move for move in moves if move not in without]
    for (framework_id, _), group in groupby(with_news, key=lambda move: (move.framework_id, move.flavour)):
        of_view = list(group)
        title = _titles(connection, framework_id)
        for gate_id, limit in (("scores_moved", limits.scores_moved), ("ranks_moved", limits.ranks_moved)):
            worst = max(of_view, key=lambda move: _excess(gate_id, move, move.limit(limit)))
            gate = worst.limit(limit)
            measured = worst.share_out if gate_id == "ranks_moved" else worst.share_far
            if gate.severity(measured) is None:
                continue
            others = [m.node_id for m in of_view if m != worst and _excess(gate_id, m, m.limit(limit)) > 1]
            sentence = _sentence(connection, gate_id, worst, limits, title, list(dict.fromkeys(others)), touched)
            if not is_same_method:
                gate = Gate(warn_above=gate.warn_above)
                sentence += "; the method has changed since the live file, so this is not refused"
            subject = f"{framework_id} {worst.node_id} {worst.place}"
            found += judged(gate_id, gate, subject, measured, sentence)
    return worst_first(found)


def _has_columns(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether the live file's scores have the columns that are compared."""
    held = {str(name) for (name,) in connection.execute(_COLUMNS_OF_LIVE).fetchall()}
    return held >= _NEEDED


def _moves(connection: duckdb.DuckDBPyConnection, far: float, places: int) -> list[_Move]:
    connection.execute(_PAIRED)
    rows = connection.execute(_MEASURED, {"still": STILL, "points": far, "places": places}).fetchall()
    return [_Move(*row) for row in rows]


def _excess(gate_id: str, move: _Move, gate: Gate) -> float:
    """The share that moved as a multiple of the share that needs no warning."""
    measured = move.share_out if gate_id == "ranks_moved" else move.share_far
    return measured / gate.warn_above if gate.warn_above else measured * math.inf if measured else 0.0


def _is_without_news(move: _Move, touched: Set[str]) -> bool:
    """Whether a node moved within one year although none of its indicators' figures differs."""
    members = _leaf_weights().get((move.framework_id, move.node_id))
    return move.year == move.old_year and members is not None and not members.keys() & touched


def _without_news(connection: duckdb.DuckDBPyConnection, gate: Gate, moves: Sequence[_Move]) -> list[Finding]:
    """One finding a framework: scores moved without new figures, which is a fault here and not a publisher's."""
    found = []
    for framework_id, group in groupby(moves, key=lambda move: move.framework_id):
        of_framework = list(group)
        worst = max(of_framework, key=lambda move: (move.moved / move.districts, move.farthest))
        title = _titles(connection, framework_id)
        nodes = list(dict.fromkeys(title.get(move.node_id, move.node_id) for move in of_framework))
        sentence = (
            f"{framework_id}, {title.get(worst.node_id, worst.node_id)} ({worst.place}): {worst.moved} of {worst.districts} "
            f"districts moved, by {points(worst.farthest)} at most, although none of its indicators' figures differs: "
            f"{_telling(connection, worst, of_ranks=False)}"
        )
        if len(nodes) > 1:
            sentence += f"; {len(nodes)} nodes moved in this way ({some(nodes)})"
        subject = f"{framework_id} {worst.node_id} {worst.place}"
        found += judged("moved_without_news", gate, subject, worst.moved / worst.districts, sentence)
    return found


def _sentence(
    connection: duckdb.DuckDBPyConnection,
    gate_id: str,
    move: _Move,
    limits: Gates,
    title: Mapping[str, str],
    others: Sequence[str],
    touched: Set[str],
) -> str:
    name = title.get(move.node_id, move.node_id)
    if gate_id == "ranks_moved":
        what = (
            f"{move.ranks_out} of {move.ranks} published ranks left their former 90% interval by more than "
            f"{limits.ranks_moved.places} places ({share(move.ranks_out, move.ranks)})"
        )
    else:
        what = (
            f"{move.moved_far} of {move.districts} districts moved by more than {points(limits.scores_moved.points)} "
            f"({share(move.moved_far, move.districts)}), by {points(move.farthest)} at most"
        )
    carried = _carried_by(connection, move, title, touched)
    sentence = f"{move.framework_id}, {name} ({move.place}): {what}"
    sentence += f"; mainly because of {carried}" if carried else ""
    sentence += f"; largest moves: {_telling(connection, move, of_ranks=gate_id == 'ranks_moved')}"
    return sentence + (f"; also {some([title.get(node, node) for node in others])}" if others else "")


def _telling(connection: duckdb.DuckDBPyConnection, move: _Move, *, of_ranks: bool) -> str:
    """The three districts that moved farthest, before and after: `Preston 41.2 to 63.0; …`."""
    rows = connection.execute(_FARTHEST, {**move.parameters(), "node": move.node_id, "of_ranks": of_ranks}).fetchall()
    if of_ranks:
        return "; ".join(f"{name} rank {old} to {new}" for name, _, _, old, new in rows)
    return "; ".join(f"{name} {old:.1f} to {new:.1f}" for name, old, new, _, _ in rows)


def _carried_by(connection: duckdb.DuckDBPyConnection, move: _Move, title: Mapping[str, str], touched: Set[str]) -> str:
    """The indicators behind the move, weighted by their weights below the node: `Residents' pay (71%), …`."""
    weights = _leaf_weights().get((move.framework_id, move.node_id), {})
    moved = dict(connection.execute(_LEAVES, move.parameters()).fetchall())
    carried = {leaf: weights[leaf] * size for leaf, size in moved.items() if leaf in weights and size > 0}
    total = sum(carried.values())
    if not total:
        return some([title.get(leaf, leaf) for leaf in sorted(weights) if leaf in touched])
    first = sorted(carried, key=lambda leaf: -carried[leaf])[:_MOST_NAMED]
    named = [leaf for leaf in first if carried[leaf] >= _LEAST_SHARE * total]
    return ", ".join(f"{title.get(leaf, leaf)} ({share(carried[leaf], total)})" for leaf in named)


def _titles(connection: duckdb.DuckDBPyConnection, framework_id: str) -> dict[str, str]:
    return dict(connection.execute(_TITLES, {"framework": framework_id}).fetchall())


@lru_cache(maxsize=1)
def _leaf_weights() -> dict[NodeId, dict[str, float]]:
    """By framework and node: the share of the node's weight in each leaf below it; all candidates of a place count alike."""
    found: dict[NodeId, dict[str, float]] = {}

    def walk(framework: Framework, node: Node) -> dict[str, float]:
        parts = [(child.weight, walk(framework, child)) for child in node.children]
        parts += [(place.weight, dict.fromkeys(place.candidates, 1.0)) for place in node.indicators]
        total = sum(weight for weight, _ in parts) or 1.0
        held: dict[str, float] = {}
        for weight, leaves in parts:
            for leaf, part in leaves.items():
                held[leaf] = held.get(leaf, 0.0) + part * weight / total
        found[framework.id, node.id] = held
        return held

    for framework in _frameworks():
        walk(framework, framework.tree)
    return found


@lru_cache(maxsize=1)
def _frameworks() -> tuple[Framework, ...]:
    return tuple(load_framework(name) for name in DEFAULT_FRAMEWORKS)
