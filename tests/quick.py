"""Settings for whole refreshes that are not about scores: they score few years."""

from __future__ import annotations

from functools import partial

from pipeline.settings import Settings

BASE_YEAR = 2019  # of the frameworks: the fewest years that give changes a base
LATEST_YEARS = 2024  # for runs whose scores nobody reads

quick = partial(Settings, first_scored_year=BASE_YEAR)
quickest = partial(Settings, first_scored_year=LATEST_YEARS)
