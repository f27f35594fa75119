"""The step that models survey figures: what the models take, from a run's figures on today's map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from pipeline.catalogue import Indicator
from pipeline.catalogue.small_area_models import SmallAreaModel
from pipeline.estimation.modelled import ModelTables, model_all
from pipeline.estimation.series import Covariate, SeriesSpec
from pipeline.geography import Register, dim_area
from pipeline.run.assemble import scoring_input

# What is made of districts is no figure of a region that theirs could be made to agree with.
PUBLISHED_RULES = ("as_published", "published_for_same_area")
WIDER = ("region", "nation")


def estimate(
    models: Sequence[SmallAreaModel],
    indicators: Mapping[str, Indicator],
    register: Register,
    observations: pd.DataFrame,
) -> ModelTables:
    """Model the survey figures that the catalogue declares. Nothing that figures can be raises: a refusal is a row.

    ``observations``: of `Assembled`, with ``geography_rule``.
    """
    return model_all(*inputs_of_models(models, indicators, register, observations))


def inputs_of_models(
    models: Sequence[SmallAreaModel],
    indicators: Mapping[str, Indicator],
    register: Register,
    observations: pd.DataFrame,
) -> tuple[list[SeriesSpec], pd.DataFrame, pd.DataFrame]:
    """What is modelled and how, the figures that the models need, and the districts: see `model_all`."""
    specs = [_spec(model, indicators) for model in models]
    areas = dim_area(register)
    needed = {name for spec in specs for name in spec.indicators}
    wider = observations["area_code"].isin(areas.loc[areas["level"].isin(WIDER), "area_code"])
    districts = areas.loc[areas["is_scored"], ["area_code", "region_code", "nation_code"]]
    is_used = observations["indicator_id"].isin(needed) & (
        observations["area_code"].isin(districts["area_code"])
        | (wider & observations["geography_rule"].isin(PUBLISHED_RULES))
    )
    people = register.areas.set_index("area_code")["population_2020"].reindex(districts["area_code"])
    return specs, scoring_input(observations[is_used]), districts.assign(people=people.to_numpy(dtype=float))


def _spec(model: SmallAreaModel, indicators: Mapping[str, Indicator]) -> SeriesSpec:
    return SeriesSpec(
        indicator_id=model.id,
        is_log=indicators[model.id].transform == "log_ratio",
        adjustment=model.benchmark,
        level_years=model.levels_from,
        change_windows=model.changes_over,
        covariates=tuple(_covariate(name, indicators) for name in model.covariates),
        compared_with=tuple(_covariate(name, indicators) for name in model.compared_with),
    )


def _covariate(indicator_id: str, indicators: Mapping[str, Indicator]) -> Covariate:
    """Money enters by its logarithm, as the catalogue compares it."""
    return Covariate(indicator_id, is_log=indicators[indicator_id].transform == "log_ratio")
