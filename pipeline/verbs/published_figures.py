"""A framework and the published figures that it can be tried on, for the verbs that study frameworks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.catalogue.frameworks import Framework
    from pipeline.scoring import IndicatorSpec

_FIGURES = """
select area_code, indicator_id, year, value, standard_error, status
from fct_observation
qualify row_number() over (partition by area_code, indicator_id, year order by period_end desc) = 1
"""
_INDICATORS = """
select indicator_id, polarity, transform, coalesce(string_split(series_breaks, ','), [])
from dim_indicator
"""


def framework_and_figures(name: str) -> tuple[Framework, pd.DataFrame, pd.DataFrame, dict[str, IndicatorSpec]]:
    """The framework of an id or file, with the figures, areas and indicators of the published file.

    Raises CatalogueError, CannotRead, and ScoringInputError for a framework without a base year.
    """
    from pipeline.catalogue import load_catalogue
    from pipeline.catalogue.frameworks import load_framework
    from pipeline.reading import published
    from pipeline.scoring import IndicatorSpec, ScoringInputError, indicator_specs
    from pipeline.settings import settings_from_environment

    with published(settings_from_environment().database) as connection:
        figures = connection.execute(_FIGURES).df()
        areas = connection.execute("select area_code, level, nation_code, is_scored from dim_area").df()
        described = connection.execute(_INDICATORS).fetchall()
    known = indicator_specs(load_catalogue().indicators)
    specs = {
        name: replace(
            known.get(name, IndicatorSpec(polarity, transform)),
            polarity=polarity,
            transform=transform,
            breaks=tuple(map(int, breaks)),
        )
        for name, polarity, transform, breaks in described
    }
    framework = load_framework(name, known_indicators=specs)
    if framework.base_year is None:
        raise ScoringInputError(f"framework {framework.id} has no base_year, which scoring over years needs")
    return framework, figures, areas, specs
