"""Scores from the published file: one type and one query for every reader."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import duckdb

from pipeline.published import verdicts

DEFAULT_FRAMEWORK: Final = "shared_growth"
CHANGE_WINDOW_YEARS: Final = 10
LEVEL, CHANGE = "level", "change"
TYPICAL: Final = 50.0
_NEGLIGIBLE: Final = 1e-9

_SCORES = """
select
    area_code::varchar,
    node_id::varchar,
    node_title::varchar,
    node_kind,
    depth,
    parent_node_id::varchar,
    parent_title::varchar,
    year,
    score,
    score_lower,
    score_upper,
    verdict,
    rank,
    rank_lower,
    rank_upper,
    rank_count,
    is_band,
    is_carried_forward,
    probability_above_typical,
    probability_top_fifth,
    probability_bottom_fifth,
    sure_fifth,
    weight_with_error,
    missing_pillars,
    points_added
from latest_score
where
    framework_id = $framework
    and flavour = $flavour
    and window_years = $window
    and ($area is null or area_code = $area)
    and ($indicators or node_kind <> 'indicator')
order by position, area_code
"""


@dataclass(frozen=True)
class Score:
    """One area's score at one node in the latest scored year, as the view ``latest_score`` holds it.

    ``score``, ``lower`` and ``upper`` are points from 0 to 100 (50 is the typical district); the interval is at 90%.
    Ranks and probabilities (0 to 1) are None where less than half of the weight has a known error. Only districts have
    ranks. ``verdict`` is one of those that ``meta_verdict`` defines. ``points_added`` are points added to, or taken
    from, the score of the node above, relative to 50.
    """

    area_code: str
    node_id: str
    title: str
    node_kind: str
    depth: int
    parent_node_id: str | None
    parent_title: str | None
    year: int
    score: float
    lower: float | None
    upper: float | None
    verdict: str
    rank: int | None
    rank_lower: int | None
    rank_upper: int | None
    rank_count: int | None
    is_band: bool | None
    is_carried_forward: bool
    probability_above_typical: float | None
    probability_top_fifth: float | None
    probability_bottom_fifth: float | None
    sure_fifth: str | None
    weight_with_error: float
    missing_pillars: str | None
    points_added: float | None

    @property
    def sureness(self) -> str:
        """The verdict without its side: clearly, probably, cannot say or not known."""
        return verdicts.sureness(self.verdict)

    @property
    def side(self) -> str | None:
        """``above`` or ``below`` where the verdict names a side."""
        return verdicts.side(self.verdict)

    @property
    def is_known(self) -> bool:
        """Whether enough of the weight has a known error to give a verdict, a rank and a probability."""
        return self.verdict != verdicts.NOT_KNOWN

    @property
    def has_partial_error(self) -> bool:
        """Whether the interval leaves out unknown errors, so that the true one is wider."""
        return self.lower is not None and self.weight_with_error < 1 - _NEGLIGIBLE

    @property
    def is_comparable(self) -> bool:
        """Whether the score includes every pillar that most districts have, so that it compares with theirs."""
        return self.missing_pillars is None

    def compares_with(self, other: Score) -> bool:
        """Whether two scores have the same parts as far as the file shows: the same title and the same pillars."""
        return self.title == other.title and self.missing_pillars == other.missing_pillars

    @property
    def is_at_an_end(self) -> bool:
        """Whether the score is at an end of the scale, so that the true distance no longer shows."""
        return min(self.score, 100 - self.score) < _NEGLIGIBLE


def latest_scores(
    connection: duckdb.DuckDBPyConnection,
    flavour: str,
    *,
    framework_id: str = DEFAULT_FRAMEWORK,
    window_years: int | None = None,
    area_code: str | None = None,
    with_indicators: bool = False,
) -> list[Score]:
    """The scores of the latest scored year in tree order, for one area or for all.

    ``window_years`` defaults to 0 for the level and to the default window for change. Raises duckdb.Error if the file
    lacks the view.
    """
    window = (0 if flavour == LEVEL else CHANGE_WINDOW_YEARS) if window_years is None else window_years
    asked = {
        "framework": framework_id,
        "flavour": flavour,
        "window": window,
        "area": area_code,
        "indicators": with_indicators,
    }
    return [Score(*row) for row in connection.execute(_SCORES, asked).fetchall()]
