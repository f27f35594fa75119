"""Small-area models, which borrow strength from covariates and other years, and errors estimated from the figures.

The errors are of figures (their course over time, revisions, scatter) and of slopes.
"""

from pipeline.estimation.benchmarking import Benchmarked, benchmark
from pipeline.estimation.error_blocks import autoregressive_blocks, partly_new_blocks
from pipeline.estimation.errors import EstimationError
from pipeline.estimation.fay_herriot import FayHerriot, fit_fay_herriot
from pipeline.estimation.rao_yu import RaoYuFit, fit_rao_yu
from pipeline.estimation.rao_yu_prediction import Predictions, predict, predict_change, predict_levels
from pipeline.estimation.tables import Estimates, estimate_table

__all__ = [
    "Benchmarked",
    "Estimates",
    "EstimationError",
    "FayHerriot",
    "Predictions",
    "RaoYuFit",
    "autoregressive_blocks",
    "benchmark",
    "estimate_table",
    "fit_fay_herriot",
    "fit_rao_yu",
    "partly_new_blocks",
    "predict",
    "predict_change",
    "predict_levels",
]
