"""Which of today's districts stand on the ground of an area code of any year."""

from __future__ import annotations

from functools import lru_cache

import pandas as pd

from pipeline.geography import Register
from pipeline.geography.area_errors import UnknownAreaError


@lru_cache(maxsize=4096)
def districts_today(register: Register, code: str) -> frozenset[str]:
    """Today's districts on the ground of a code that is or was a district's; empty for any other text."""
    try:
        return frozenset(register.current_codes(code)) & frozenset(register.districts())
    except UnknownAreaError:
        return frozenset()


def ground_of(register: Register, code: str) -> list[str]:
    """Today's districts on a district's ground; of any other area its own code."""
    return sorted(districts_today(register, code)) or [code]


def ground_cells(register: Register, observations: pd.DataFrame) -> pd.MultiIndex:
    """The (area, period) pairs of observations, a district's area being today's district on its ground.

    So a district under an old code, or the parts of one that was merged, count as the district of today.
    """
    ground = {code: ground_of(register, code) for code in observations["area_code"].unique()}
    cells = observations[["area_code", "period"]].drop_duplicates()
    areas = cells["area_code"].map(ground)
    return pd.MultiIndex.from_frame(cells.assign(area_code=areas).explode("area_code").drop_duplicates())
