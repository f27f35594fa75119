"""Which survey figures are modelled: what a model may not rest on is refused when the catalogue is loaded."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from pipeline.catalogue import CatalogueError, load_catalogue
from pipeline.catalogue.load import CATALOGUE_DIR


def load_with(folder: Path, **changed: object) -> None:
    """Load the shipped catalogue with some fields of pay's model changed."""
    for path in CATALOGUE_DIR.glob("*.yaml"):
        shutil.copy(path, folder)
    models = yaml.safe_load((folder / "models.yaml").read_text(encoding="utf-8"))
    next(model for model in models if model["id"] == "pay_median_weekly").update(changed)
    (folder / "models.yaml").write_text(yaml.safe_dump(models), encoding="utf-8")
    load_catalogue(folder)


def test_the_shipped_models_load_and_none_rests_on_another_pillar() -> None:
    models = {model.id: model for model in load_catalogue().models}
    assert set(models) == {
        "employment_rate", "unemployment_rate_modelled", "level3_qualifications_rate", "no_qualifications_rate",
        "pay_median_weekly",
    }  # fmt: skip
    assert all(model.covariates == () for model in models.values())


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"covariates": ["pay_median_weekly"]}, "covariate 'pay_median_weekly' comes from the same survey"),
        ({"covariates": ["housing_affordability_ratio"]}, "comes from the same survey"),
        ({"covariates": ["employment_rate"]}, "'employment_rate' is a survey's estimate with an error of its own"),
        ({"covariates": ["rainfall"]}, "no indicator 'rainfall' in indicators.yaml"),
        ({"compared_with": ["rainfall"]}, "field 'compared_with': no indicator 'rainfall'"),
        ({"benchmark": "difference"}, "a ratio is for money, a difference for rates"),
        ({"id": "claimant_rate"}, "no sampling error of it is published"),
        ({"id": "rainfall"}, "no such indicator in indicators.yaml"),
        ({"levels_from": 0}, "field 'levels_from'"),
    ],
)
def test_a_model_that_cannot_be_right_is_refused(tmp_path: Path, changed: dict[str, object], words: str) -> None:
    with pytest.raises(CatalogueError, match=r"models\.yaml") as caught:
        load_with(tmp_path, **changed)
    assert words in str(caught.value)


def test_income_may_be_a_covariate_of_pay(tmp_path: Path) -> None:
    load_with(tmp_path, covariates=["gdhi_per_head"])
