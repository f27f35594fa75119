"""Give figures without a published error the spread of revisions between the editions held, where the catalogue says so."""

from __future__ import annotations

import pandas as pd

from pipeline.catalogue import Indicator, Part, Query
from pipeline.http.payload import PayloadRejected
from pipeline.raw import CorruptSnapshot, Snapshot
from pipeline.run.context import RunContext
from pipeline.run.input_fingerprint import earlier_editions, origin
from pipeline.run.payload_checks import accept
from pipeline.run.results import PartResult
from pipeline.scoring.revisions import distinct_editions, revision_spread, with_revision_errors


def observations_with_errors(context: RunContext, result: PartResult) -> pd.DataFrame:
    """The observations of a part, its districts' errors taken from revisions where the publisher gives none.

    They come as they are where the catalogue does not ask for it, or fewer than two editions are held.
    """
    if result.accepted is None:
        raise ValueError(f"{result.indicator_id} ({result.part_id}) has no figures")
    observations = result.accepted.observations
    earlier = earlier_editions(context, result)
    if not earlier:
        return observations
    indicator, part, query = origin(context, result)
    held = [figures for item in earlier if (figures := _figures(context, indicator, part, query, item)) is not None]
    districts = observations["area_code"].map(lambda code: _is_district(context, code)).astype(bool)
    editions = [figures[figures["area_code"].isin(observations.loc[districts, "area_code"])] for figures in held]
    is_log = indicator.transform == "log_ratio"
    spread = revision_spread(distinct_editions([*editions, observations[districts]]), is_log)
    revised = with_revision_errors(observations[districts], spread, is_log)
    return observations.assign(standard_error=revised["standard_error"].reindex(observations.index).where(
        districts, observations["standard_error"]
    ))  # fmt: skip


def _figures(
    context: RunContext, indicator: Indicator, part: Part, query: Query, snapshot: Snapshot
) -> pd.DataFrame | None:
    """An earlier answer read anew; None where it can no longer be read, which is no reason to do without the newest."""
    try:
        return accept(context, indicator, part, query, context.raw.read(snapshot)).observations
    except (CorruptSnapshot, PayloadRejected):
        return None


def _is_district(context: RunContext, code: str) -> bool:
    area = context.register.by_code.get(code)
    return area is not None and area.level == "district"
