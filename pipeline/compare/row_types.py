"""The columns of the row-by-row comparisons, so that one without findings has them too."""

from __future__ import annotations

import pyarrow as pa

_TEXT, _WHOLE, _NUMBER, _TRUTH = pa.string(), pa.int32(), pa.float64(), pa.bool_()

REVISION = pa.schema(
    {
        "area_code": _TEXT,
        "area_name": _TEXT,
        "level": _TEXT,
        "indicator_id": _TEXT,
        "indicator_title": _TEXT,
        "unit": _TEXT,
        "period": _TEXT,
        "year": _WHOLE,
        "kind": _TEXT,
        "cause": _TEXT,
        "is_derived": _TRUTH,
        "old_value": _NUMBER,
        "new_value": _NUMBER,
        "difference": _NUMBER,
        "difference_percent": _NUMBER,
        "old_status": _TEXT,
        "new_status": _TEXT,
    }
)
MOVEMENT = pa.schema(
    {
        "area_code": _TEXT,
        "area_name": _TEXT,
        "level": _TEXT,
        "framework_id": _TEXT,
        "framework_title": _TEXT,
        "flavour": _TEXT,
        "window_years": _WHOLE,
        "node_id": _TEXT,
        "node_title": _TEXT,
        "old_year": _WHOLE,
        "new_year": _WHOLE,
        "old_score": _NUMBER,
        "new_score": _NUMBER,
        "score_change": _NUMBER,
        "score_by_method": _NUMBER,
        "score_by_revision": _NUMBER,
        "score_by_new_data": _NUMBER,
        "old_rank": _WHOLE,
        "new_rank": _WHOLE,
        "rank_change": _WHOLE,
        "rank_by_method": _WHOLE,
        "rank_by_revision": _WHOLE,
        "rank_by_new_data": _WHOLE,
    }
)
