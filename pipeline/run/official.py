"""Hold district averages computed from small areas against the publisher's own summary of the same index."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from pipeline import sources
from pipeline.catalogue.model import SmallAreaQuery
from pipeline.run.context import RunContext
from pipeline.run.results import Accepted, PayloadRejected
from pipeline.sources.base import Payload, SourceError
from pipeline.tidy import iod_files
from pipeline.tidy.observations import UnreadablePayload

# Official averages are given to three decimals, so an equal one is at most half of the last decimal away, and a hair.
LARGEST_DIFFERENCE = 0.0006


def checked_against_official(
    context: RunContext, query: SmallAreaQuery, payload: Payload, accepted: Accepted
) -> Accepted:
    """``accepted``, once its small areas are known to give the official average scores, district for district.

    Only average scores are published by district; what is computed otherwise passes unchecked. Where the official file
    cannot be had, the figures pass with a warning that says so. Raises PayloadRejected naming districts that differ.
    """
    if query.measure != "average_score":
        return accepted
    try:
        official = iod_files.official_average_scores(sources.official_summary(query, context.client).content)
    except (SourceError, UnreadablePayload) as error:
        warning = f"averages could not be checked against the official district file: {error}"
        return replace(accepted, warnings=(*accepted.warnings, warning))
    computed = iod_files.average_scores(iod_files.small_areas(payload.content))
    both = pd.concat([computed, official.rename("official")], axis="columns")
    is_equal = (both["average_score"] - both["official"]).abs() <= LARGEST_DIFFERENCE
    if not is_equal.all():
        code, row = next(both[~is_equal].iterrows())
        raise PayloadRejected(
            f"{int((~is_equal).sum())} of {len(both)} district averages differ from the official file, first {code}: "
            f"{row['average_score']:.4f} computed, {row['official']:.4f} official"
        )
    return accepted
