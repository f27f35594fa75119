"""Which survey figures are modelled, and how: the fields of `models.yaml`, and the checks that no entry shows alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator

from pipeline.catalogue.model import Entry, Identifier, Indicator


class SmallAreaModel(Entry):
    """The model of one indicator. ``levels_from`` and ``changes_over`` are in years; see `models.yaml`."""

    id: Identifier
    levels_from: int = Field(ge=1, le=20)
    changes_over: tuple[Annotated[int, Field(ge=2, le=20)], ...] = ()
    benchmark: Literal["difference", "ratio"]
    covariates: tuple[Identifier, ...] = ()
    same_survey: tuple[Identifier, ...] = ()
    compared_with: tuple[Identifier, ...] = ()

    @model_validator(mode="after")
    def no_covariate_is_the_survey_s_own(self) -> SmallAreaModel:
        for name in self.covariates:
            if name == self.id or name in self.same_survey:
                raise ValueError(
                    f"covariate '{name}' comes from the same survey: its errors are those of {self.id}, so the model "
                    "would take them for the truth"
                )
        return self


def model_faults(models: tuple[SmallAreaModel, ...], indicators: Mapping[str, Indicator]) -> Iterator[str]:
    """A sentence for each model, covariate or comparison that does not fit the indicators."""
    for model in models:
        where = f"models.yaml: entry '{model.id}'"
        if model.id not in indicators:
            yield f"{where}: no such indicator in indicators.yaml"
            continue
        indicator = indicators[model.id]
        if not indicator.is_error_published:
            yield f"{where}: no sampling error of it is published, so nothing says how much strength to borrow"
        if (indicator.transform == "log_ratio") != (model.benchmark == "ratio"):
            yield f"{where}, field 'benchmark': a ratio is for money, a difference for rates"
        for field in ("covariates", "same_survey", "compared_with"):
            for name in getattr(model, field):
                if name not in indicators:
                    yield f"{where}, field '{field}': no indicator '{name}' in indicators.yaml"
        for name in model.covariates:
            if name in indicators and indicators[name].is_error_published:
                yield (
                    f"{where}, field 'covariates': '{name}' is a survey's estimate with an error of its own; covariates "
                    "must be counts or accounts"
                )
