"""Types that the estimation room shares. Missing is NaN in every array."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

Method = Literal["reml", "ml"]
# A variance or correlation that the data push to the end of its range.
Edge = Literal["area variance", "innovation variance", "rho"]
