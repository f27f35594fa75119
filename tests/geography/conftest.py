"""The register as committed, the shared data where they are, and tables of figures in a line."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pandas as pd
import pytest

from pipeline.geography import Register, load_register
from pipeline.settings import PROJECT_ROOT

SHARED = PROJECT_ROOT.parent / "shared" / "data"
Rows = Iterable[tuple[str, str, float]]


@pytest.fixture(scope="session")
def register() -> Register:
    return load_register()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    if not (SHARED / "geography").is_dir():
        pytest.skip("../shared/data is not here: the official lists are not part of the project")
    return SHARED


@pytest.fixture(scope="session")
def table() -> Callable[..., pd.DataFrame]:
    """Build observations from (area code, year, value) triples."""

    def build(rows: Rows, indicator_id: str = "people", **more: object) -> pd.DataFrame:
        rows = list(rows)
        frame = pd.DataFrame(
            {
                "area_code": pd.Series([row[0] for row in rows], dtype="str"),
                "indicator_id": pd.Series([indicator_id] * len(rows), dtype="str"),
                "period": pd.Series([f"{row[1]}-01-01/P1Y" for row in rows], dtype="str"),
                "value": pd.Series([row[2] for row in rows], dtype="float64"),
                "status": pd.Series(["ok"] * len(rows), dtype="str"),
                "source_row": range(2, len(rows) + 2),
            }
        )
        return frame.assign(**more)

    return build
