"""Check district averages computed from small areas against the publisher's own summary of the same index."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from pipeline.http.payload import Payload, PayloadRejected, SourceError
from pipeline.publishers.deprivation import files, iod_files
from pipeline.publishers.deprivation.query import SmallAreaQuery
from pipeline.tidy.observations import UnreadablePayload

if TYPE_CHECKING:
    from pipeline.http.client import HttpClient

# Official averages have three decimals, so equal ones differ by at most half of the last decimal, plus rounding.
LARGEST_DIFFERENCE = 0.0006


def check_against_official(query: SmallAreaQuery, payload: Payload, client: HttpClient) -> str | None:
    """Whether an answer's small areas give the official average scores (File 10), district by district.

    Only average scores are published by district; other measures pass unchecked. Returns a warning if the official file
    is unavailable. Raises PayloadRejected naming districts that differ.
    """
    if query.measure != "average_score":
        return None
    try:
        summary = files.complete_file(f"{query.index}_file_10", client)
        official = iod_files.official_average_scores(summary.content)
    except (SourceError, UnreadablePayload) as error:
        return f"averages could not be checked against the official district file: {error}"
    computed = iod_files.average_scores(iod_files.small_areas(payload.content))
    both = pd.concat([computed, official.rename("official")], axis="columns")
    is_equal = (both["average_score"] - both["official"]).abs() <= LARGEST_DIFFERENCE
    if not is_equal.all():
        code, row = next(both[~is_equal].iterrows())
        raise PayloadRejected(
            f"{int((~is_equal).sum())} of {len(both)} district averages differ from the official file, first {code}: "
            f"{row['average_score']:.4f} computed, {row['official']:.4f} official"
        )
    return None
