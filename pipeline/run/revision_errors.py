"""Give figures without a published error the spread of revisions between the editions held, where the catalogue says so."""

from __future__ import annotations

import pandas as pd

from pipeline.catalogue import Catalogue
from pipeline.geography import Register
from pipeline.http.payload import PayloadRejected
from pipeline.raw import CorruptSnapshot, RawStore
from pipeline.run.input_fingerprint import earlier_editions
from pipeline.run.origins import origin
from pipeline.run.payload_checks import accept
from pipeline.run.results import PartResult
from pipeline.scoring.revisions import distinct_editions, revision_spread, with_revision_errors


def observations_with_errors(
    catalogue: Catalogue, register: Register, raw: RawStore, result: PartResult, keep_snapshots: int
) -> pd.DataFrame:
    """The observations of a part, its districts' errors taken from revisions where the publisher gives none.

    They stay as they are where the catalogue does not ask for it, or fewer than two editions are held. ``keep_snapshots``
    is how many editions are kept.
    """
    if result.accepted is None:
        raise ValueError(f"{result.indicator_id} ({result.part_id}) has no figures")
    observations = result.accepted.observations
    earlier = earlier_editions(catalogue, raw, result, keep_snapshots)
    if not earlier:
        return observations
    indicator, part, query = origin(catalogue, result)
    held = []
    for snapshot in earlier:
        try:
            answer = accept(catalogue.sources, register, indicator, part, query, raw.read(snapshot))
        except (CorruptSnapshot, PayloadRejected):
            continue  # an earlier answer that can no longer be read is no reason to do without the newest
        held.append(answer.observations)
    districts = observations["area_code"].map(lambda code: _is_district(register, code)).astype(bool)
    editions = [figures[figures["area_code"].isin(observations.loc[districts, "area_code"])] for figures in held]
    is_log = indicator.transform == "log_ratio"
    spread = revision_spread(distinct_editions([*editions, observations[districts]]), is_log)
    revised = with_revision_errors(observations[districts], spread, is_log)
    return observations.assign(standard_error=revised["standard_error"].reindex(observations.index).where(
        districts, observations["standard_error"]
    ))  # fmt: skip


def _is_district(register: Register, code: str) -> bool:
    area = register.by_code.get(code)
    return area is not None and area.level == "district"
